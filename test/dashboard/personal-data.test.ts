import { createReceiver, createWorker, PermanentError } from 'hooklayer'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createRecorder } from 'hooklayer/recorder'
import { createDelivery, TEST_SECRET } from 'hooklayer/testing'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { DeliveryPage, InboxPage } from '../../src/dashboard/api.ts'
import { recordingLogger } from '../deliveries.ts'
import { createFolder } from '../inboxes/sqlite/place.ts'
import { startCommerceLayer, startEndpoint } from '../management/harness.ts'
import { startDashboard } from './harness.ts'
import { watchLive } from './watch-live.ts'

const ORDERS = 40

/** What is planted in each order, and must be in no answer. */
const PLANTED = [
  ...['Zoraïde', 'Quizzlebury', 'zoraide@quizzlebury.example', '+39 055 7654321', 'Via Zorabella 77', '50199'],
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

it.each(['memory', 'file', 'unmasked memory'])(
  'no answer has the personal data of orders: %s',
  { timeout: 120_000 },
  async (kind) => {
    const { file, remove } = createFolder()
    const { logger } = recordingLogger()
    const inbox = createSqliteInbox({ file })
    const options = { file: { file: `${file}-records` }, 'unmasked memory': { redact: false } }[kind] ?? {}
    const recorder = createRecorder({ logger, ...options })
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
    for (let i = 0; i < ORDERS; i++) await emulator.trigger('orders.place', plant(i))
    await receiver.receive(
      await createDelivery('orders.place', { resource: plant(99), secret: 'of another webhook, wrong' }),
    )
    await vi.waitFor(async () => expect((await inbox.statistics()).dead).toBe(ORDERS), { timeout: 60_000 })
    await vi.waitFor(() => expect(live.messages().some(({ type }) => type === 'deliveries')).toBe(true))

    const answers: string[] = []
    const get = async <T>(path: string): Promise<T> => {
      const { status, text, json } = await page.get<T>(path)
      expect([path, status]).toEqual([path, 200])
      answers.push(text)
      return json
    }
    await vi.waitFor(async () => {
      const { items } = await get<DeliveryPage>('api/deliveries?limit=500')
      expect(items).toHaveLength(2 * ORDERS + 1)
    }, 10_000)
    const { items } = await get<DeliveryPage>('api/deliveries?search=ZORAIDE@quizzlebury.example&limit=500')
    expect(items.length).toBeGreaterThanOrEqual(ORDERS)
    for (const { id } of items) {
      await get(`api/deliveries/${id}`)
      await get(`api/deliveries/${id}/body`)
    }
    const { items: dead } = await get<InboxPage>('api/inbox/deliveries?state=dead&limit=500')
    for (const { id } of dead) await get(`api/inbox/dead/${id}`)
    for (const path of ['setup', 'inbox', 'webhooks', `webhooks/${webhookId}/calls`, 'plan', 'health'])
      await get(`api/${path}`)
    const { text: redelivered } = await page.post(`api/deliveries/${items.at(-1)?.id}/redeliver`)
    expect(redelivered).toContain('"failed"')
    answers.push(redelivered, page.logged(), JSON.stringify(live.messages()))

    const all = answers.join('\n')
    expect(all.length).toBeGreaterThan(100_000)
    expect(all).toContain('"number":"700"')
    const found = PLANTED.flatMap((one) =>
      all.includes(one) ? [all.slice(all.indexOf(one) - 200, all.indexOf(one) + 50)] : [],
    )
    expect(found).toEqual([])
  },
)
