import { beforeAll, expect, it } from 'vitest'
import { createApi } from '../../src/emulator/api/app.ts'
import type { EventCallbackRecord, Records } from '../../src/emulator/records.ts'
import { createSender } from '../../src/emulator/sender/sender.ts'
import { sampleOf } from '../../src/testing/index.ts'
import { toDocument } from '../../src/wire/document.ts'

const COUNT = 10_000
const records: Records = { webhooks: new Map(), eventCallbacks: new Map(), events: new Map(), holders: new Map() }
const organization = { id: 'AcmeAcmeAc', slug: 'acme' }
const credentials = { clientId: 'me', clientSecret: 'hush' }
const api = createApi({
  ...credentials,
  records,
  organization,
  mode: 'test',
  tokenLifetimeMs: 60_000,
  rateLimit: false,
  url: () => 'http://127.0.0.1:4000',
  trigger: async () => [],
  sender: createSender({ records, organizationId: organization.id, mode: 'test' }),
})
let authorization: string

beforeAll(async () => {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'me', client_secret: 'hush' })
  const response = await api.request('/oauth/token', { method: 'POST', body })
  authorization = `Bearer ${((await response.json()) as { access_token: string }).access_token}`
  const headers = { authorization, 'content-type': 'application/vnd.api+json' }
  const attributes = { topic: 'customers.create', callback_url: 'https://example.com/' }
  await api.request('/api/webhooks', {
    method: 'POST',
    headers,
    body: JSON.stringify({ data: { type: 'webhooks', attributes } }),
  })
  const [webhook] = records.webhooks.values()
  if (!webhook) throw new Error('The webhook was refused.')
  const shared = { updated_at: webhook.created_at, reference: null, reference_origin: null, metadata: {} }
  const event = {
    ...shared,
    id: 'EventEvent',
    type: 'events' as const,
    name: webhook.topic,
    created_at: webhook.created_at,
    resource: sampleOf('customers'),
  }
  for (let n = 0; n < COUNT; n++) {
    const record: EventCallbackRecord = {
      ...shared,
      id: `callback${n}`,
      type: 'event_callbacks',
      callback_url: webhook.callback_url,
      payload: toDocument(event.resource, { include: [] }),
      response_code: String(200 + (n % 5) * 100),
      response_message: n % 2 === 0 ? 'OK' : null,
      created_at: new Date(Date.UTC(2026, 0, 1) + n).toISOString(),
      webhook,
      event,
    }
    records.eventCallbacks.set(record.id, record)
  }
})

it.each([
  ['', COUNT],
  ['sort=-created_at&include=webhook', COUNT],
  ['sort=response_code,-response_message&page[number]=300&page[size]=25', COUNT],
  ['filter[q][webhook_topic_eq]=customers.create&filter[q][response_code_not_eq]=200', 8000],
  ['filter[q][response_message_or_webhook_name_cont]=OK&sort=-id', COUNT / 2],
])('a page of ten thousand records takes a few milliseconds of CPU time: %s', async (query, count) => {
  const times: number[] = []
  for (let round = 0; round < 7; round++) {
    const before = process.cpuUsage()
    const response = await api.request(`/api/event_callbacks?${query}`, { headers: { authorization } })
    const { meta } = (await response.json()) as { meta: { record_count: number } }
    times.push(process.cpuUsage(before).user / 1000)
    expect(meta.record_count).toBe(count)
  }
  expect(Math.min(...times)).toBeLessThan(60)
})
