import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { createReceiver, eventIdOf, isWebhookError, PermanentError, parse, verify } from 'hooklayer'
import { describe, expect, it, vi } from 'vitest'
import { canonicalJson } from '../../src/core/event/canonical-json.ts'
import { ERRORS, OUTCOMES } from '../../src/core/outcomes.ts'
import { bytes, delivery, idOf, recordingLogger, SECRET } from '../deliveries.ts'
import { fuzz } from './fuzz/fuzz.ts'
import { MAKERS, VALUES } from './fuzz/options.ts'
import { type HANDLERS, MARK, requests, texts, toRequest } from './fuzz/requests.ts'

const { logger } = recordingLogger()
const silent = { ...logger, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

const STATUSES = new Set<number>([...Object.values(OUTCOMES), ...Object.values(ERRORS).map(([status]) => status)])

function fail(how: (typeof HANDLERS)[number]): unknown {
  if (how === 'throws') throw new Error(MARK)
  if (how === 'permanent') throw new PermanentError(MARK)
  if (how === 'rejects') return Promise.reject({ [MARK]: MARK })
  return how === 'odd' ? { [MARK]: MARK } : undefined
}

describe('a receiver', () => {
  it('answers every request with a status of the table, and with nothing of the request', async () => {
    let how: (typeof HANDLERS)[number] = 'returns'
    const receiver = createReceiver({ secrets: { 'orders.place': SECRET, 'customers.update': SECRET }, logger: silent })
    receiver.on('*', () => fail(how) as undefined)
    await fuzz('requests', 0.1, requests, async (drawn) => {
      how = drawn.handler
      const { status, headers, body } = await receiver.receive(toRequest(drawn))
      expect(STATUSES).toContain(status)
      expect(JSON.parse(body)).toBeTypeOf('object')
      expect(JSON.stringify([headers, body])).not.toContain(MARK)
    })
  })
})

describe('a signed document', () => {
  it('becomes an event or a WebhookError, whatever it is', async () => {
    await fuzz('documents', 0.1, texts, async (text) => {
      const request = delivery('orders.place', text)
      const verified = await verify(request.body, request.headers, { 'orders.place': SECRET })
      const event = await parse(verified).catch((thrown: unknown) => thrown)
      if (isWebhookError(event)) return expect(['DOCUMENT_INVALID', 'TOPIC_MISMATCH']).toContain(event.code)
      const { resource } = event as Awaited<ReturnType<typeof parse>>
      expect(Object.getPrototypeOf(resource)).toBe(Object.prototype)
      expect(resource).toMatchObject({ type: 'orders', id: expect.any(String) })
      expect(readId(event as { id: string })).toMatch(/^([0-9a-f]{64}|DOCUMENT_INVALID)$/)
      expect(Object.keys(Object.prototype)).toEqual([])
    })
  })

  it.each<[string, (size: number) => readonly object[]]>([
    ['a chain', (size) => draw(size, (index) => [index + 1])],
    ['a star', (size) => draw(size, () => [0])],
    ['a ladder of two ways', (size) => draw(size, (index) => [index + 1, index + 2])],
    ['a thousand links to resources that are absent', (size) => draw(size, (index) => [size + index])],
    ['the same resource again and again', (size) => draw(size, () => [1]).map((one) => ({ ...one, id: 'same' }))],
  ])('is linked in linear time: %s', async (_, createIncluded) => {
    // Other processes take time from one measurement. Quadratic time would take it from each.
    await vi.waitFor(
      async () => {
        const small = Math.min(...(await measure(createIncluded(2000))))
        const large = Math.min(...(await measure(createIncluded(16_000))))
        expect(large / small).toBeLessThan(8 * 4)
      },
      { timeout: 20_000 },
    )
  })
})

/** Resources that lead to the places that `next` gives. */
function draw(size: number, next: (index: number) => readonly number[]) {
  return Array.from({ length: size }, (_, index) => ({
    type: 'line_items',
    id: `${index}`,
    relationships: { items: { data: next(index).map((id) => ({ type: 'line_items', id: `${id}` })) } },
  }))
}

/** Milliseconds of CPU that an event takes, several times. */
async function measure(included: readonly object[]): Promise<number[]> {
  const data = { type: 'orders', id: 'a', relationships: { line_items: { data: [{ type: 'line_items', id: '0' }] } } }
  const request = delivery('orders.place', { data, included })
  const times: number[] = []
  for (let run = 0; run < 5; run++) {
    const begin = process.cpuUsage()
    const event = await parse(await verify(request.body, request.headers, SECRET))
    expect([event.id.length, event.resource.id]).toEqual([64, 'a'])
    times.push(process.cpuUsage(begin).user)
  }
  return times
}

function readId(event: { readonly id: string }): string {
  try {
    return event.id
  } catch (error) {
    if (isWebhookError(error)) return error.code
    throw error
  }
}

describe('options', () => {
  it('of every kind and shape are accepted, or refused with a TypeError that quotes no secret', async () => {
    const chosen = fc.record({
      maker: fc.nat(MAKERS.length - 1),
      values: fc.array(fc.tuple(fc.nat(20), fc.nat(VALUES.length - 1)), { maxLength: 5 }),
    })
    await fuzz('options', 0.1, chosen, async ({ maker, values }) => {
      const [owner, make, names = []] = MAKERS[maker] ?? []
      const options = Object.fromEntries(values.map(([name, value]) => [names[name % names.length], VALUES[value]]))
      try {
        const made: unknown = await make?.(options as never)
        await (made as { stop?(options: object): unknown }).stop?.({ timeoutMs: 0 })
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
        // A topic that is none is quoted, whatever text it is.
        if (owner !== 'on' && owner !== 'createDelivery') expect(String(error)).not.toContain(SECRET)
      }
    })
  })
})

const json = fc.oneof(
  fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }),
  fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 5 }),
  fc.dictionary(fc.string({ unit: 'binary', maxLength: 3 }), fc.jsonValue({ maxDepth: 2 })),
)

/** Writes JSON in another spelling: members in another order, white space, escaped characters. */
function respell(value: unknown): string {
  if (typeof value === 'string') {
    return `"${Array.from({ length: value.length }, (_, at) => `\\u${value.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
  }
  if (typeof value === 'number') return /^-?\d+$/.test(`${value}`) ? `${value}e0` : `${value}`
  if (Array.isArray(value)) return `[ ${value.map(respell).join(' ,\n')} ]`
  if (typeof value !== 'object' || value === null) return String(value)
  const members = Object.entries(value).reverse()
  return `{ ${members.map(([name, member]) => `${respell(name)} : ${respell(member)}`).join(' ,\t')} }`
}

describe('canonical JSON', () => {
  it('agrees with an independent computation, in every spelling', async () => {
    await fuzz('canonical-json', 0.1, json, async (drawn) => {
      const value: unknown = JSON.parse(JSON.stringify(drawn))
      expect(canonicalJson(value)).toBe(canonicalize(value))
      expect(canonicalJson(JSON.parse(respell(value)))).toBe(canonicalize(value))
      const data = { id: 'a', type: 'orders', attributes: { value } }
      const content = canonicalize({ data: { ...data, relationships: {} }, included: [] }) ?? ''
      expect(await eventIdOf('orders.place', JSON.parse(respell({ data })))).toBe(idOf('orders.place', bytes(content)))
    })
  })
})
