import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EmulatorHarness, GONE, startEmulator, startEndpoint } from '../harness.ts'

let harness: EmulatorHarness
let endpoint: Awaited<ReturnType<typeof startEndpoint>>

beforeAll(async () => {
  endpoint = await startEndpoint()
  harness = await startEmulator({ retries: 0 })
  const topic = 'customers.create'
  await harness.subscribe({
    name: 'alpha',
    topic,
    callback_url: `${endpoint.url}/200`,
    reference: 'R-1',
    metadata: { tier: 1, tags: ['x', 'y'], shop: { region: 'eu', open: null } },
  })
  await harness.subscribe({ name: 'beta', topic, callback_url: `${endpoint.url}/404`, metadata: { tier: 2, tags: [] } })
  await harness.subscribe({
    name: 'Gamma_3%',
    topic,
    callback_url: `${endpoint.url}/500`,
    reference: 'r-2',
    reference_origin: 'ERP',
  })
  await harness.subscribe({ name: 'delta', topic, callback_url: GONE, reference: '' })
  await harness.subscribe({ name: 'epsilon', topic: 'orders.place', callback_url: GONE, _disable: true })
  await harness.emulator.trigger('customers.create')
})
afterAll(async () => {
  await harness.emulator.close()
  await endpoint.close()
})

function listBy(type: string, filters: readonly (readonly [string, string])[]): ReturnType<EmulatorHarness['ask']> {
  const params = new URLSearchParams()
  for (const [key, value] of filters) params.append(`filter[q][${key}]`, value)
  return harness.ask(`${type}?${params}`)
}

/** The first letters of the names of the webhooks found. */
async function webhooksBy(...filters: readonly (readonly [string, string])[]): Promise<string> {
  const { body } = await listBy('webhooks', filters)
  return body.data.map(({ attributes }) => String(attributes?.name).charAt(0)).join('')
}

/** The sorted response codes of the event callbacks found. */
async function callbacksBy(...filters: readonly (readonly [string, string])[]): Promise<string> {
  const { body } = await listBy('event_callbacks', filters)
  return body.data
    .map(({ attributes }) => String(attributes?.response_code))
    .sort()
    .join(' ')
}

describe('a filter of webhooks', () => {
  it.each([
    ['name_eq', 'beta', 'b'],
    ['name_eq', 'Beta', ''],
    ['name_not_eq', 'beta', 'aGde'],
    ['name_not_eq_all', 'alpha,beta', 'Gde'],
    ['name_in', 'alpha,delta,nobody', 'ad'],
    ['name_not_in', 'alpha,delta', 'bGe'],
    ['name_lt', 'beta', 'aG'],
    ['name_lteq', 'beta', 'abG'],
    ['name_gt', 'beta', 'de'],
    ['name_gteq', 'beta', 'bde'],
    ['name_lt_any', 'alpha,beta', 'aG'],
    ['name_lt_all', 'alpha,beta', 'G'],
    ['name_gteq_any', 'beta,delta', 'bde'],
    ['name_gteq_all', 'beta,delta', 'de'],
    ['name_gt_any', 'beta,delta', 'de'],
    ['name_gt_all', 'beta,delta', 'e'],
    ['name_lteq_any', 'alpha,beta', 'abG'],
    ['name_lteq_all', 'alpha,beta', 'aG'],
    ['name_matches', '%lt%', 'd'],
    ['name_matches', '_eta', 'b'],
    ['name_matches', 'eta', ''],
    ['name_matches', '%\\_3\\%', 'G'],
    ['name_does_not_match', '%a', 'Ge'],
    ['name_matches_any', 'a%,d%', 'ad'],
    ['name_matches_all', '%a,%t%', 'bd'],
    ['name_does_not_match_any', 'a%,d%', 'abGde'],
    ['name_does_not_match_all', 'a%,d%', 'bGe'],
    ['name_start', 'de', 'd'],
    ['name_not_start', 'de', 'abGe'],
    ['name_start_any', 'de,al', 'ad'],
    ['name_start_all', 'd,de', 'd'],
    ['name_not_start_any', 'd,al', 'abGde'],
    ['name_not_start_all', 'd,al', 'bGe'],
    ['name_end', 'ta', 'bd'],
    ['name_not_end', 'ta', 'aGe'],
    ['name_end_any', 'pha,n', 'ae'],
    ['name_end_all', 'a,ta', 'bd'],
    ['name_not_end_any', 'a,ta', 'aGe'],
    ['name_not_end_all', 'a,ta', 'Ge'],
    ['name_cont', '_3%', 'G'],
    ['name_cont', '%', 'G'],
    ['name_not_cont', 'a', 'e'],
    ['name_cont_any', 'ph,lon', 'ae'],
    ['name_cont_all', 'l,t', 'd'],
    ['name_not_cont_any', 'l,t', 'abGe'],
    ['name_not_cont_all', 'l,t', 'G'],
  ])('%s=%s', async (key, value, found) => {
    expect(await webhooksBy([key, value])).toBe(found)
  })

  it.each([
    ['reference_eq', 'R-1', 'a'],
    ['reference_not_eq', 'R-1', 'Gd'],
    ['reference_not_in', 'R-1', 'Gd'],
    ['reference_not_in_or_null', 'R-1', 'bGde'],
    ['reference_not_eq_all', 'R-1', 'Gd'],
    ['reference_not_cont', 'R', 'Gd'],
    ['reference_not_start_any', 'R', 'Gd'],
    ['reference_does_not_match', 'R%', 'Gd'],
    ['reference_lt', 'z', 'aGd'],
    ['reference_null', 'true', 'be'],
    ['reference_null', 'false', 'aGd'],
    ['reference_not_null', 'true', 'aGd'],
    ['reference_not_null', '0', 'be'],
    ['reference_blank', '1', 'bde'],
    ['reference_blank', 'false', 'aG'],
    ['reference_present', 'true', 'aG'],
    ['reference_present', 'f', 'bde'],
    ['reference_true', 'true', ''],
    ['reference_false', 'true', ''],
    ['disabled_at_null', 'true', 'abGd'],
    ['disabled_at_present', 'true', 'e'],
    ['metadata_present', 'true', 'abGde'],
    ['metadata_null', 'true', ''],
  ])('treats NULL as SQL does: %s=%s', async (key, value, found) => {
    expect(await webhooksBy([key, value])).toBe(found)
  })

  it.each([
    ['circuit_failure_count_eq', '1', 'bGd'],
    ['circuit_failure_count_eq', '1.0', 'bGd'],
    ['circuit_failure_count_lt', '10', 'abGde'],
    ['circuit_failure_count_gt', '-1', 'abGde'],
    ['circuit_failure_count_in', '0,7', 'ae'],
    ['circuit_failure_count_cont', '1', 'bGd'],
    ['circuit_state_eq', 'closed', 'abGde'],
    ['topic_start', 'orders.', 'e'],
  ])('%s=%s', async (key, value, found) => {
    expect(await webhooksBy([key, value])).toBe(found)
  })

  it.each([
    ['{"tier":1}', 'a'],
    ['{"tier":"1"}', ''],
    ['{"tags":["y"]}', 'a'],
    ['{"tags":[]}', 'ab'],
    ['{"shop":{"region":"eu"}}', 'a'],
    ['{"shop":{"open":null}}', 'a'],
    ['{"shop":{}}', 'a'],
    ['{"shop":{"constructor":{}}}', ''],
    ['{"tags":{}}', ''],
    ['{}', 'abGde'],
  ])('metadata_jcont=%s', async (value, found) => {
    expect(await webhooksBy(['metadata_jcont', value])).toBe(found)
  })

  it('joins attributes by _or_ and by _and_', async () => {
    expect(await webhooksBy(['name_or_topic_cont', 'p'])).toBe('ae')
    expect(await webhooksBy(['name_and_topic_cont', 'p'])).toBe('e')
    expect(await webhooksBy(['reference_or_reference_origin_null', 'true'])).toBe('abde')
    expect(await webhooksBy(['reference_and_reference_origin_not_null', 'true'])).toBe('G')
  })

  it('is joined with other filters by AND', async () => {
    expect(await webhooksBy(['name_end', 'a'], ['name_cont', 't'], ['reference_null', 'true'])).toBe('b')
  })

  it('is ignored when its value is blank', async () => {
    const blank = ['name_eq', 'name_in', 'name_cont', 'name_cont_all', 'disabled_at_lt', 'name_null', 'metadata_jcont']
    for (const key of blank) expect([key, await webhooksBy([key, ''])]).toEqual([key, 'abGde'])
    expect(await webhooksBy(['name_in', ',beta,,'])).toBe('b')
  })

  it('uses the last value if it is given twice', async () => {
    expect(await webhooksBy(['name_eq', 'alpha'], ['name_eq', 'beta'])).toBe('b')
  })

  it('finds a webhook by its id', async () => {
    const id = harness.emulator.webhooks[1]?.id ?? ''
    expect(await webhooksBy(['id_eq', id])).toBe('b')
    expect(await webhooksBy(['id_not_in', id])).toBe('aGde')
  })

  it('compares times in any time zone', async () => {
    const at = String(harness.emulator.webhooks[0]?.created_at)
    const romeTime = `${new Date(Date.parse(at) + 7_200_000).toISOString().slice(0, -1)}+02:00`
    for (const time of [at, romeTime, at.slice(0, -1), at.replace('T', ' ')]) {
      expect(await webhooksBy(['created_at_eq', time], ['name_eq', 'alpha'])).toBe('a')
      expect(await webhooksBy(['created_at_lt', time])).toBe('')
      expect(await webhooksBy(['created_at_gteq', time])).toBe('abGde')
    }
    expect(await webhooksBy(['created_at_lt', '2020-01-01'])).toBe('')
    expect(await webhooksBy(['created_at_gt_any', '2020-01-01,2999-01-01'])).toBe('abGde')
    expect(await webhooksBy(['created_at_gt_all', '2020-01-01T10:00,2999-01-01'])).toBe('')
  })
})

describe('a filter of event callbacks', () => {
  it.each([
    ['response_code_eq', '404', '404'],
    ['response_code_not_eq', '200', '404 500'],
    ['response_code_not_in_or_null', '200,404', '500 null'],
    ['response_code_gteq', '404', '404 500'],
    ['response_code_null', 'true', 'null'],
    ['response_message_cont', 'Not', '404'],
    ['callback_url_end', '/500', '500'],
    ['webhook_topic_eq', 'customers.create', '200 404 500 null'],
    ['webhook_topic_eq', 'orders.place', ''],
    ['webhook_name_start', 'Gam', '500'],
    ['webhook_reference_null', 'true', '404'],
    ['webhook_metadata_jcont', '{"tier":2}', '404'],
    ['webhook_circuit_failure_count_eq', '0', '200'],
    ['response_message_or_webhook_name_cont', 'OK', '200'],
  ])('%s=%s', async (key, value, found) => {
    expect(await callbacksBy([key, value])).toBe(found)
  })

  it('finds the calls of a webhook, until the webhook is deleted', async () => {
    const { id } = await harness.subscribe({ name: 'zeta', topic: 'returns.ship', callback_url: `${endpoint.url}/299` })
    await harness.emulator.trigger('returns.ship')
    expect(await callbacksBy(['webhook_id_eq', id])).toBe('299')
    await harness.ask(`webhooks/${id}`, { method: 'DELETE' })
    expect(await callbacksBy(['webhook_id_eq', id])).toBe('')
    expect(await callbacksBy(['webhook_name_null', 'true'])).toBe('299')
  })
})

describe('a filter of events', () => {
  it('finds events by name and time', async () => {
    const namesBy = async (key: string, value: string) => {
      const { body } = await listBy('events', [[key, value]])
      return body.data.map(({ attributes }) => attributes?.name)
    }
    expect(await namesBy('name_eq', 'customers.create')).toEqual(['customers.create'])
    expect(await namesBy('name_eq', 'orders.place')).toEqual([])
    expect(await namesBy('created_at_gt', '2999-01-01')).toEqual([])
  })
})

describe('a filter is refused', () => {
  it.each([
    ['webhooks', 'nmae_eq'],
    ['webhooks', 'name'],
    ['webhooks', 'name_is'],
    ['webhooks', 'name_eq_any'],
    ['webhooks', '_eq'],
    ['webhooks', ''],
    ['webhooks', 'callback_url_eq'],
    ['webhooks', 'shared_secret_start'],
    ['webhooks', 'include_resources_present'],
    ['webhooks', 'last_event_callbacks_id_eq'],
    ['webhooks', 'name_or_shared_secret_cont'],
    ['webhooks', 'name_or__cont'],
    ['webhooks', 'metadata_eq'],
    ['webhooks', 'metadata_cont'],
    ['webhooks', 'name_jcont'],
    ['webhooks', 'constructor_eq'],
    ['webhooks', '__proto___eq'],
    ['event_callbacks', 'payload_jcont'],
    ['event_callbacks', 'webhook_callback_url_eq'],
    ['event_callbacks', 'webhook_shared_secret_start'],
    ['event_callbacks', 'webhook_eq'],
    ['event_callbacks', 'webhook_webhook_id_eq'],
    ['events', 'topic_eq'],
  ])('for %s with the key %s', async (type, key) => {
    const { status, body } = await listBy(type, [[key, 'x']])
    expect(status).toBe(400)
    expect(body.errors[0]?.code).toBe('FILTER_NOT_ALLOWED')
  })

  it.each(['filter=x', 'filter[name_eq]=x', 'filter[q]=x', 'filter[q][name_eq][]=x', 'filter[p][name_eq]=x'])(
    'for another form: %s',
    async (query) => {
      const { status, body } = await harness.ask(`webhooks?${query}`)
      expect(status).toBe(400)
      expect(body.errors[0]?.code).toBe('FILTER_NOT_ALLOWED')
    },
  )

  it.each([
    ['created_at_gt', 'yesterday'],
    ['created_at_gt', '2026-13-01'],
    ['created_at_in', '2026-01-01,5'],
    ['circuit_failure_count_eq', 'one'],
    ['circuit_failure_count_eq', 'Infinity'],
    ['name_null', 'maybe'],
    ['metadata_jcont', '{'],
    ['metadata_jcont', '[]'],
    ['metadata_jcont', 'null'],
    ['metadata_jcont', '7'],
  ])('for a value that does not fit: %s=%s', async (key, value) => {
    const { status, body } = await listBy('webhooks', [[key, value]])
    expect(status).toBe(400)
    expect(body.errors[0]?.code).toBe('INVALID_FILTER_VALUE')
    expect(body.errors[0]?.detail).not.toContain(value)
  })

  it('or answered, and never fails, for random keys and values', async () => {
    const word = fc.oneof(
      fc.constantFrom('id', 'name', 'metadata', 'webhook', 'created_at', 'response_code', 'circuit_failure_count', ''),
      fc.constantFrom('or', 'and', 'not', 'eq', 'in', 'null', 'any', 'all', 'matches', 'jcont', 'cont', 'true', 'gt'),
      fc.string({ maxLength: 8 }),
    )
    const key = fc.array(word, { maxLength: 6 }).map((words) => words.join('_'))
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.json({ maxDepth: 2 }),
      fc.constantFrom('%%%', '\\', ',', 'true', '2026-01-01', '-0', '1e999', '\u0000', '{"__proto__":{}}'),
    )
    const type = fc.constantFrom('webhooks', 'event_callbacks', 'events')
    await fc.assert(
      fc.asyncProperty(type, key, value, async (type, name, text) => {
        const { status } = await listBy(type, [[name, text]])
        expect([200, 400]).toContain(status)
      }),
      { numRuns: 300 },
    )
  })
})
