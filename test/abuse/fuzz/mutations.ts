import { createHmac } from 'node:crypto'
import type { HeadersLike } from 'hooklayer/drivers'
import { createDelivery } from 'hooklayer/testing'
import { bytes, CART, signed } from '../../deliveries.ts'

/** What a request says. */
export interface Mutated {
  readonly topic: string
  readonly signature: string
  readonly body: Buffer
  readonly shape: 'record' | 'entries' | 'upper-case' | 'twice'
}

interface Genuine {
  readonly topic: string
  readonly signature: string
  readonly body: Buffer
}

const TOPICS = ['orders.place', 'orders.create', 'customers.create', 'line_items.update', 'price_lists.create'] as const

/** A secret for each topic, as Commerce Layer makes them. */
export const SECRETS: Readonly<Record<string, string>> = Object.fromEntries(
  TOPICS.map((topic) => [topic, createHmac('sha256', 'fuzz').update(topic).digest('hex').slice(0, 32)]),
)

/** Deliveries whose bytes and headers are those of Commerce Layer, and one of them as small as can be. */
export async function createGenuine(): Promise<Genuine[]> {
  const secretOf = (topic: string) => SECRETS[topic] ?? ''
  const samples = await Promise.all(
    TOPICS.slice(1).map((topic) => createDelivery(topic, { secret: secretOf(topic), include: [] })),
  )
  const requests = [{ topic: TOPICS[0], body: bytes(JSON.stringify(CART)) }, ...samples]
  return requests.map(({ topic, body }) => ({
    topic,
    body: Buffer.from(body),
    signature: signed(body, secretOf(topic)),
  }))
}

type Random = () => number

type Mutation = (genuine: Genuine, random: Random, others: readonly Genuine[]) => Partial<Genuine>

const pick = <T>(list: readonly T[], random: Random): T => list[Math.floor(random() * list.length)] as T

const at = ({ length }: { readonly length: number }, random: Random) => Math.floor(random() * length)

/** Replaces a match: the first from a place on that is drawn. */
function replaceOne(body: Buffer, pattern: RegExp, random: Random, replace: (found: string) => string): Buffer {
  const text = body.toString()
  const start = at(text, random)
  const found = pattern.exec(text.slice(start))
  if (!found) return Buffer.concat([body, Buffer.from(' ')])
  const index = start + found.index
  return Buffer.from(text.slice(0, index) + replace(found[0]) + text.slice(index + found[0].length))
}

function flipBits(body: Buffer, random: Random, count: number): Buffer {
  const flipped = Buffer.from(body)
  for (let flips = 0; flips < count; flips++) {
    const index = at(body, random)
    flipped.writeUInt8((flipped[index] ?? 0) ^ (1 << at({ length: 8 }, random)), index)
  }
  return flipped
}

const inBody =
  (mutate: (body: Buffer, random: Random) => Buffer): Mutation =>
  ({ body }, random) => ({ body: mutate(body, random) })

const inSignature =
  (mutate: (signature: string, random: Random) => string): Mutation =>
  ({ signature }, random) => ({ signature: mutate(signature, random) })

const inTopic =
  (mutate: (topic: string, random: Random) => string): Mutation =>
  ({ topic }, random) => ({ topic: mutate(topic, random) })

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/='

const insert = (text: string, index: number, more: string) => text.slice(0, index) + more + text.slice(index)

const MUTATIONS: readonly Mutation[] = [
  inBody((body, random) => flipBits(body, random, 1)),
  inBody((body, random) => flipBits(body, random, 2 + at({ length: 20 }, random))),
  inBody((body, random) => body.subarray(0, at(body, random))),
  inBody((body, random) => body.subarray(1 + at(body, random))),
  inBody((body, random) => {
    const cut = at(body, random)
    return Buffer.concat([body.subarray(0, cut), Buffer.from([at({ length: 256 }, random)]), body.subarray(cut)])
  }),
  inBody((body, random) => {
    const cut = 1 + at(body, random)
    return Buffer.concat([body.subarray(cut), body.subarray(0, cut)])
  }),
  inBody((body) => Buffer.concat([body, body])),
  inBody((body, random) => Buffer.concat([body, Buffer.from(pick(['\n', ' ', '\0', '\r\n', '{}', '='], random))])),
  inBody((body) => Buffer.concat([Buffer.from('\ufeff'), body])),
  inBody((body, random) => replaceOne(body, /[{}[\],:]/, random, (found) => `${found} `)),
  inBody((body, random) => replaceOne(body, /\d+/, random, (number) => `${number}.0`)),
  inBody((body, random) => replaceOne(body, /\d+\.\d+/, random, (number) => `${number}0`)),
  inBody((body, random) => replaceOne(body, /(?<=":)\d+/, random, (number) => `${number}e0`)),
  inBody((body, random) => replaceOne(body, /[a-z]/, random, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)),
  inBody((body) => Buffer.from(JSON.stringify(JSON.parse(body.toString()), undefined, 1))),
  inBody((body) =>
    Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(body.toString())).reverse()))),
  ),
  (_, random, others) => ({ body: pick(others, random).body }),
  (_, random, others) => ({ signature: pick(others, random).signature }),
  (_, random, others) => ({ topic: pick(others, random).topic }),
  ({ body }, random, others) => {
    // Signed with the secret of another topic of the map.
    const { topic } = pick(others, random)
    return {
      signature: createHmac('sha256', SECRETS[topic] ?? '')
        .update(body)
        .digest('base64'),
    }
  },
  inSignature((signature, random) => {
    const index = at(signature, random)
    return signature.slice(0, index) + pick([...ALPHABET], random) + signature.slice(index + 1)
  }),
  inSignature((signature, random) =>
    insert(signature, at(signature, random), pick([' ', '\t', '=', ',', '\0', 'A'], random)),
  ),
  inSignature((signature, random) => signature.slice(0, at(signature, random))),
  inSignature((signature, random) => {
    const index = at({ length: signature.length - 1 }, random)
    return (
      signature.slice(0, index) + signature.charAt(index + 1) + signature.charAt(index) + signature.slice(index + 2)
    )
  }),
  inSignature((signature, random) =>
    pick(
      [
        signature.toLowerCase(),
        signature.toUpperCase(),
        signature.replace(/=$/, ''),
        `"${signature}"`,
        `sha256=${signature}`,
        `${signature}, ${signature}`,
        Buffer.from(signature, 'base64').toString('hex'),
        Buffer.from(signature, 'base64').toString('base64url'),
        encodeURIComponent(signature),
        '',
      ],
      random,
    ),
  ),
  ({ body, topic }, random) => ({
    signature: createHmac(pick(['sha1', 'sha512', 'sha256'], random), pick(['', 'undefined', 'secret', topic], random))
      .update(body)
      .digest('base64'),
  }),
  inTopic((topic, random) =>
    pick(
      [
        topic.toUpperCase(),
        `${topic} `,
        `${topic}, ${topic}`,
        topic.replace('.', '_'),
        topic.replace('_', '.'),
        `${topic}.x`,
        'constructor.name',
        '__proto__.toString',
        '*.*',
        'orders.*',
        '',
      ],
      random,
    ),
  ),
]

const SHAPES: readonly Mutated['shape'][] = ['record', 'record', 'record', 'entries', 'upper-case', 'twice']

/**
 * Draws a request that is no genuine one; `undefined` if the draw changed nothing. No mutation changes topic, signature
 * and body together, so it cannot become another genuine one.
 */
export function drawMutated(genuine: readonly Genuine[], random: Random): Mutated | undefined {
  const one = pick(genuine, random)
  const { topic, signature, body } = { ...one, ...pick(MUTATIONS, random)(one, random, genuine) }
  const shape = pick(SHAPES, random)
  const isChanged = topic !== one.topic || signature !== one.signature || !body.equals(one.body) || shape === 'twice'
  return isChanged ? { topic, signature, body, shape } : undefined
}

export function toHeaders({ topic, signature, shape }: Mutated): HeadersLike {
  switch (shape) {
    case 'record':
      return { 'x-commercelayer-topic': topic, 'x-commercelayer-signature': signature }
    case 'entries':
      return [
        ['X-CommerceLayer-Topic', topic],
        ['X-CommerceLayer-Signature', signature],
      ]
    case 'upper-case':
      return { 'X-COMMERCELAYER-TOPIC': topic, 'X-COMMERCELAYER-SIGNATURE': signature }
    case 'twice':
      return { 'x-commercelayer-topic': topic, 'x-commercelayer-signature': [signature, signature] }
  }
}

/** The bytes of what is kept are text in Latin-1. */
export function toKept(mutated: Mutated): unknown {
  return { ...mutated, body: mutated.body.toString('latin1') }
}

export function fromKept(kept: Omit<Mutated, 'body'> & { readonly body: string }): Mutated {
  return { ...kept, body: Buffer.from(kept.body, 'latin1') }
}
