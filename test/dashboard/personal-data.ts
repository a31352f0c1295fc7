import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { createReceiver, createWorker, PermanentError } from 'hooklayer'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createRecorder } from 'hooklayer/recorder'
import { createDelivery, TEST_SECRET } from 'hooklayer/testing'
import { expect, onTestFinished, vi } from 'vitest'
import type { DeliveryPage, InboxPage } from '../../src/dashboard/api.ts'
import { recordingLogger } from '../deliveries.ts'
import { createFolder } from '../inboxes/sqlite/place.ts'
import { startCommerceLayer, startEndpoint } from '../management/harness.ts'
import { waitFor } from '../wait-for.ts'
import { startDashboard } from './harness.ts'
import { watchLive } from './watch-live.ts'

/** Asked for at once. */
const TOGETHER = 20

/** What is planted in each order, and must be in no answer. */
const PLANTED = [
  ...['Zoraïde', 'Quizzlebury', 'zoraide@quizzlebury.example', '+39 055 7654321', 'Via Zorabella 77', 'zip-50199'],
  ...['Leave it with Mrs. Vendevogel', 'tok_live_51HxZorabella9912', 'XY-Passport-77123', 'Zorabella GmbH'],
]

function plant(i: number): object {
  const [first_name, last_name, email, phone, line_1, zip_code, notes, token, passport, company] = PLANTED
  const address = {
    first_name,
    last_name,
    full_name: `${first_name} ${last_name}`,
    line_1,
    zip_code,
    phone,
    company,
    notes,
  }
  return {
    id: `order${i}`,
    number: `70${i}`,
    customer_email: email,
    token,
    metadata: { passport, note: `for ${first_name}` },
    customer: { email, metadata: { phone } },
    billing_address: { ...address, email },
    shipping_address: address,
  }
}

/** Where the recorder keeps what it records. */
export type Place = 'memory' | 'file' | 'unmasked memory'

/** Looks for the personal data of orders in each answer of a dashboard, its log, and the files of its recorder. */
export async function findPersonalData(place: Place, orders: number): Promise<readonly string[]> {
  const { file, remove } = createFolder()
  const { logger } = recordingLogger()
  const inbox = createSqliteInbox({ file })
  const options = { memory: {}, file: { file: `${file}-records` }, 'unmasked memory': { redact: false } }[place]
  const recorder = createRecorder({ logger, maxBytes: 512 * 1024 * 1024, ...options })
  const { emulator, api } = await startCommerceLayer({ retries: 0 })
  const endpoint = await startEndpoint()
  const { id: webhookId } = emulator.subscribe('orders.place', endpoint.url, { secret: TEST_SECRET })
  const receiver = createReceiver({ secrets: TEST_SECRET, inbox, recorder, logger })
  receiver.on('orders.place', { name: 'erp' }, ({ resource: { number, customer_email, billing_address } }) => {
    if (Number(number) % 2 === 1) throw new PermanentError(`Nothing for ${billing_address?.full_name}`)
    throw new Error(`No account for ${customer_email}, ${billing_address?.full_name} of ${billing_address?.company}`)
  })
  const worker = createWorker({ receiver, inbox, attempts: 1, causes: 'full', logger })
  endpoint.serve(receiver)
  onTestFinished(async () => {
    await worker.stop()
    await recorder.close()
    await inbox.close()
    remove()
  })
  const page = await startDashboard({ recorder, inbox, management: api, receiver, callbackUrl: endpoint.url })
  const live = await watchLive(page.url)
  await inTurns(
    Array.from({ length: orders }, (_, i) => i),
    (i) => emulator.trigger('orders.place', plant(i)),
    () => recorder.list({ limit: 1 }), // It waits for what is being written, and nothing is missed.
  )
  await receiver.receive(
    await createDelivery('orders.place', { resource: plant(orders), secret: 'of another webhook, wrong' }),
  )
  await vi.waitFor(async () => expect((await inbox.statistics()).dead).toBe(orders), { timeout: 60_000 })
  await waitFor(() => expect(live.messages().some(({ type }) => type === 'deliveries')).toBe(true))

  const answers: string[] = []
  const get = async <T>(path: string): Promise<T> => {
    const { status, text, json } = await page.get<T>(path)
    expect([path, status]).toEqual([path, 200])
    answers.push(text)
    return json
  }
  /** @param next the parameter that asks for the page after an item. */
  const listAll = async (path: string, next: 'before' | 'after'): Promise<string[]> => {
    const ids: string[] = []
    for (let hasMore = true; hasMore; ) {
      const rest = ids.length > 0 ? `&${next}=${ids.at(-1)}` : ''
      const page = await get<DeliveryPage | InboxPage>(`${path}limit=500${rest}`)
      ids.push(...page.items.map(({ id }) => id))
      hasMore = page.hasMore
    }
    return ids
  }
  await vi.waitFor(async () => {
    expect(await listAll('api/deliveries?', 'before')).toHaveLength(2 * orders + 1)
  }, 60_000)
  const found = await listAll('api/deliveries?search=ZORAIDE@quizzlebury.example&', 'before')
  expect(found.length).toBeGreaterThanOrEqual(2 * orders)
  await inTurns(found, (id) => get(`api/deliveries/${id}`))
  await inTurns(found, (id) => get(`api/deliveries/${id}/body`))
  const dead = await listAll('api/inbox/deliveries?state=dead&', 'after')
  expect(dead).toHaveLength(orders)
  await inTurns(dead, (id) => get(`api/inbox/dead/${id}`))
  for (const path of ['setup', 'inbox', 'webhooks', `webhooks/${webhookId}/calls`, 'plan', 'health'])
    await get(`api/${path}`)
  const { text: redelivered } = await page.post(`api/deliveries/${found.at(-1)}/redeliver`)
  expect(redelivered).toContain('"failed"')
  answers.push(redelivered, page.logged(), JSON.stringify(live.messages()))

  expect(answers.join('').length).toBeGreaterThan(orders * 10_000)
  expect(answers.some((text) => text.includes(`"number":"70${orders - 1}"`))).toBe(true)
  for (const name of readdirSync(dirname(file))) {
    if (name.startsWith(`${basename(file)}-records`)) answers.push(readFileSync(join(dirname(file), name), 'latin1'))
  }
  return answers.flatMap((text) =>
    PLANTED.filter((one) => text.includes(one)).map((one) => text.slice(text.indexOf(one) - 200).slice(0, 250)),
  )
}

/** Some at once, so that a thousand do not take minutes. */
async function inTurns<T>(
  items: readonly T[],
  act: (item: T) => Promise<unknown>,
  between: () => Promise<unknown> = async () => {},
): Promise<void> {
  for (let from = 0; from < items.length; from += TOGETHER) {
    await Promise.all(items.slice(from, from + TOGETHER).map(act))
    await between()
  }
}
