import { createHmac, randomInt } from 'node:crypto'
import type { ExternalResourceKind } from 'hooklayer/responder'
import { createDelivery, createRequest } from 'hooklayer/testing'
import type { ProbeRequest } from './send-request.ts'

/** A delivery of the doctor, before it is signed. */
interface Draft {
  /** JSON that parsers and serializers do not change, so that each probe finds one mistake. */
  readonly text: string
  /** The same as Commerce Layer writes it: `20.0`, and `\\u0026` for `&`. */
  readonly written: string
}

/** What probes make their requests from. */
export interface ProbeFixture {
  /** `undefined` for requests of external resources, which have none. */
  readonly topic: string | undefined
  readonly secret: string
  /** A secret that the receiver does not have. */
  readonly wrongSecret: string
  /** Another event of the same resource, so that only the secret can tell that it is forged. */
  readonly otherTopic: string
  /** A resource in test mode, with an id of its own that begins with `doctor`. */
  draft(metadata?: Readonly<Record<string, unknown>>): Promise<Draft>
}

/** How many ids there are. An id of Commerce Layer has ten characters too. */
const IDS = 36 ** 4

type Write = (resource: object) => Promise<Uint8Array>

export function createDeliveryFixture(topic: string, secret: string): ProbeFixture {
  const write: Write = async (resource) => (await createDelivery<string>(topic, { mode: 'test', resource })).body
  return createFixture({ topic, otherTopic: toOtherTopic(topic), secret, write })
}

/** The same for a kind of external resources. */
export function createRequestFixture(kind: ExternalResourceKind, secret: string): ProbeFixture {
  const write: Write = async (resource) => (await createRequest(kind, { mode: 'test', resource })).body
  return createFixture({ topic: undefined, otherTopic: 'orders.place', secret, write })
}

function createFixture({
  write,
  ...about
}: Pick<ProbeFixture, 'topic' | 'otherTopic' | 'secret'> & { write: Write }): ProbeFixture {
  let next = randomInt(IDS)
  return {
    ...about,
    wrongSecret: `doctor-${randomInt(2 ** 47)}`,
    async draft(metadata = {}) {
      next = (next + 1) % IDS
      const id = `doctor${next.toString(36).padStart(4, '0')}`
      const resource = { id, reference: 'hooklayer doctor', updated_at: new Date().toISOString(), metadata }
      const written = new TextDecoder().decode(await write(resource))
      return { text: JSON.stringify(JSON.parse(written)), written }
    },
  }
}

function toOtherTopic(topic: string): string {
  const [resource = ''] = topic.split('.')
  return topic === `${resource}.create` ? `${resource}.update` : `${resource}.create`
}

export function signText(text: string | Uint8Array, secret: string, encoding: 'base64' | 'hex' = 'base64'): string {
  return createHmac('sha256', secret).update(text).digest(encoding)
}

/** The headers of a delivery. A value that is `undefined` leaves the header out. */
export function toHeaders(
  topic: string | undefined,
  signature: string | undefined,
  more: Readonly<Record<string, string | undefined>> = {},
): Record<string, string> {
  const headers = {
    'X-CommerceLayer-Signature': signature,
    'X-CommerceLayer-Topic': topic,
    'Content-Type': 'application/json',
    'User-Agent': 'hooklayer doctor',
    ...more,
  }
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

interface RequestOptions {
  readonly topic?: string | undefined
  readonly signature?: string | undefined
}

/** A whole request of a text, signed with the secret of the receiver unless a signature is given. */
export function toRequest(
  fixture: ProbeFixture,
  text: string | Uint8Array,
  options: RequestOptions = {},
): ProbeRequest {
  const body = Buffer.from(text)
  const { topic, signature } = { topic: fixture.topic, signature: signText(body, fixture.secret), ...options }
  return { headers: toHeaders(topic, signature, { 'Content-Length': String(body.length) }), parts: [body] }
}

/** One chunk of a chunked body; an empty one ends it. */
export function toChunk(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
}

/** The text as JavaScript, Python and PHP write it after they have parsed it. */
export function reserialize(text: string): string[] {
  const written = JSON.stringify(JSON.parse(text))
  const escaped = written.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  const spaced = escaped.replace(/("(?:[^"\\]|\\.)*")|([:,])/g, (_, string, mark) => string ?? `${mark} `)
  return [written, spaced, escaped.replaceAll('/', '\\/')]
}
