import fc, { type Arbitrary } from 'fast-check'
import type { HeadersLike, WebhookRequest } from 'hooklayer/drivers'
import { bytes, SECRET, signed } from '../../deliveries.ts'

/** A word that no answer of a receiver has. It is in each part of a request that a stranger chooses. */
export const MARK = 'q7zx9kp2'

const words = fc.oneof(fc.constantFrom('', MARK, `${MARK}\r\nx: y`), fc.string({ unit: 'binary', maxLength: 20 }))

/** Topics that are right, nearly right, and no topics at all. */
const topics: Arbitrary<string> = fc.oneof(
  fc.constantFrom('orders.place', 'orders.create', 'customers.update', `orders.${MARK}`, `${MARK}.create`),
  fc.constantFrom('', '.', '*', 'orders.*', '__proto__.toString', 'constructor.name', 'orders.place, orders.place'),
  words,
)

/** Text that is JSON, nearly a document, or neither. */
export const texts: Arbitrary<string> = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc
    .record({
      id: fc.oneof(words, fc.constant(null)),
      type: fc.constantFrom('orders', 'customers', '__proto__', MARK),
      attributes: fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.dictionary(words, fc.jsonValue({ maxDepth: 1 }))),
      relationships: fc.oneof(fc.constant(undefined), fc.jsonValue({ maxDepth: 3 })),
    })
    .map((data) => JSON.stringify({ data, included: [data, data], meta: data.attributes })),
  fc
    .nat(2000)
    .map(
      (levels) => `{"data":{"id":"a","type":"orders","attributes":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}}`,
    ),
  fc.constantFrom('{"data":{"id":"a","type":"orders","attributes":{"a":1e999}}}', '\ufeff{}', '', '\ud800', MARK),
  words,
)

const BODY_SHAPES = ['bytes', 'text', 'function', 'rejects', 'throws', 'object', 'null', 'number'] as const

const HEADER_SHAPES = ['record', 'lists', 'entries', 'map', 'headers', 'null', 'number', 'odd'] as const

export const HANDLERS = ['returns', 'throws', 'rejects', 'permanent', 'odd'] as const

export interface DrawnRequest {
  readonly method: string
  readonly topic: string
  readonly text: string
  readonly isSigned: boolean
  readonly names: 'lower' | 'upper'
  readonly others: readonly (readonly [string, string])[]
  readonly headers: (typeof HEADER_SHAPES)[number]
  readonly body: (typeof BODY_SHAPES)[number]
  readonly handler: (typeof HANDLERS)[number]
}

const HEADER_NAMES = [
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'x-commercelayer-topic',
  'X-CommerceLayer-Signature',
  '__proto__',
]

/** A request of any shape; half of them are signed, and most come as the bridges give them. */
export const requests: Arbitrary<DrawnRequest> = fc.record({
  method: fc.oneof({ weight: 5, arbitrary: fc.constant('POST') }, { weight: 1, arbitrary: words }),
  topic: fc.oneof({ weight: 2, arbitrary: fc.constant('orders.place') }, { weight: 1, arbitrary: topics }),
  text: texts,
  isSigned: fc.boolean(),
  names: fc.constantFrom('lower', 'upper'),
  others: fc.array(fc.tuple(fc.oneof(fc.constantFrom(...HEADER_NAMES), words), words), { maxLength: 3 }),
  headers: fc.oneof(fc.constant('record' as const), fc.constantFrom(...HEADER_SHAPES)),
  body: fc.oneof(fc.constant('bytes' as const), fc.constantFrom(...BODY_SHAPES)),
  handler: fc.constantFrom(...HANDLERS),
})

export function toRequest(drawn: DrawnRequest): WebhookRequest {
  return { method: drawn.method, headers: toHeaders(drawn) as HeadersLike, body: toBody(drawn) as Uint8Array }
}

function toHeaders({ topic, text, isSigned, names, others, headers }: DrawnRequest): unknown {
  const signature = isSigned ? signed(text) : signed(text, `${SECRET}${MARK}`)
  const entries: [string, string][] = [
    ...others.map(([name, value]): [string, string] => [name, value]),
    [names === 'lower' ? 'x-commercelayer-topic' : 'X-CommerceLayer-Topic', topic],
    [names === 'lower' ? 'x-commercelayer-signature' : 'X-CommerceLayer-Signature', signature],
  ]
  switch (headers) {
    case 'record':
      return Object.fromEntries(entries)
    case 'lists':
      return Object.fromEntries(entries.map(([name, value]) => [name, [value]]))
    case 'entries':
      return entries
    case 'map':
      return new Map(entries)
    case 'headers':
      return toHeadersObject(entries)
    case 'null':
      return null
    case 'number':
      return 7
    case 'odd':
      return { ...Object.fromEntries(entries), [MARK]: { toString: null }, 'x-commercelayer-topic': 7 }
  }
}

/** Leaves out what `Headers` refuses. */
function toHeadersObject(entries: readonly [string, string][]): Headers {
  const headers = new Headers()
  for (const [name, value] of entries) {
    try {
      headers.append(name, value)
    } catch {}
  }
  return headers
}

function toBody({ text, body }: DrawnRequest): unknown {
  switch (body) {
    case 'bytes':
      return bytes(text)
    case 'text':
      return text
    case 'function':
      return async () => bytes(text)
    case 'rejects':
      return () => Promise.reject(new Error(MARK))
    case 'throws':
      return () => {
        throw MARK
      }
    case 'object':
      return { text }
    case 'null':
      return null
    case 'number':
      return 7
  }
}
