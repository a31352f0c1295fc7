import { gzipSync } from 'node:zlib'
import { type Orders, reserialize, signText, toChunk, toHeaders, toRequest } from './orders.ts'
import type { Answer, ProbeRequest } from './send-request.ts'

/** What a probe expects of every answer. */
export interface Expectation {
  readonly text: string
  isMet(answer: Answer): boolean
}

/** What was found out. */
export interface Finding {
  /** What it means for orders. */
  readonly means: string
  readonly fix: string
}

/** In which way an answer is not the expected one. `other` is what the probe itself explains. */
export type Failure = 'error' | 'overloaded' | 'none' | 'closed' | 'no route' | 'redirect' | 'late' | 'other'

/** What failures mean that do not depend on the probe. */
export type GeneralFindings = Readonly<Record<Exclude<Failure, 'other'>, Finding>>

export interface Probe extends Finding {
  readonly name: string
  /** `forged` probes are to be refused. */
  readonly kind: 'genuine' | 'forged'
  /**
   * Whether a forged one is signed with the secret of the receiver, or with an empty one. A mistake handles it then.
   */
  readonly isSigned?: true
  /** What is sent, for people. */
  readonly sends: string
  /** Requests that are sent at once. Those of the next list follow when all have been answered. */
  request(orders: Orders): Promise<readonly (readonly ProbeRequest[])[]>
  readonly expected: Expectation
  /** What failures mean. Default: those of a delivery. */
  readonly general?: GeneralFindings
  /** What it is when the expectation is not met. Default: `wrong`. */
  readonly level?: 'note'
  /** For what needs a finding although each answer is as expected. */
  look?(answers: readonly Answer[]): Finding | undefined
}

/** All probes of an endpoint. */
export interface Suite {
  /** With `plain`, what the others are compared with. */
  readonly forged: Probe
  readonly plain: Probe
  readonly others: readonly Probe[]
  readonly afterwards: Probe
}

const MEGABYTE = 1_000_000
const AT_ONCE = 50

const statusOf = (answer: Answer) => (answer.kind === 'answer' ? answer.status : 0)
const isClientError = (answer: Answer) => statusOf(answer) >= 400 && statusOf(answer) < 500

const ACCEPTED: Expectation = {
  text: '2xx within 5 s',
  isMet: (answer) => statusOf(answer) >= 200 && statusOf(answer) < 300 && answer.durationMs <= 5000,
}
const REFUSED: Expectation = {
  text: '401, or another 4xx',
  isMet: (answer) => isClientError(answer) && ![404, 405].includes(statusOf(answer)),
}
const UNAUTHORIZED: Expectation = {
  text: '401',
  isMet: (answer) => [401, 403].includes(statusOf(answer)),
}
const NO_ERROR: Expectation = {
  text: 'any answer but 5xx',
  isMet: (answer) => answer.kind === 'answer' && answer.status < 500,
}
const CLIENT_ERROR: Expectation = { text: '4xx', isMet: isClientError }
const NOT_HANGING: Expectation = {
  text: 'an error, or the end of the connection, within 10 s',
  isMet: (answer) => answer.kind === 'closed' || statusOf(answer) >= 400,
}
const ANYTHING: Expectation = { text: 'nothing', isMet: () => true }

const READ_BYTES =
  'Verify the bytes as they came, before anything parses them: `express.raw({ type: "*/*", limit: "5mb" })`, ' +
  '`await request.text()`, or `createExpressMiddleware(receiver)` above every body parser.'
const ANYBODY = 'Whoever knows the URL can place, cancel and refund orders in your systems.'

/** The two probes that the others are compared with. They come first. */
const FORGED: Probe = {
  name: 'forged',
  kind: 'forged',
  sends: 'a delivery that is signed with another secret',
  request: async (orders) => {
    const { text } = await orders.draft()
    return [[toRequest(orders, text, { signature: signText(text, orders.strangeSecret) })]]
  },
  expected: REFUSED,
  means: `It is acknowledged. ${ANYBODY}`,
  fix: 'Compare the header X-CommerceLayer-Signature with the HMAC-SHA256 of the body, and answer only after that.',
}

const PLAIN: Probe = {
  name: 'plain',
  kind: 'genuine',
  sends: 'a signed delivery in plain ASCII, which parsers and serializers do not change',
  request: async (orders) => {
    return [[toRequest(orders, (await orders.draft()).text)]]
  },
  expected: ACCEPTED,
  means: 'Every order is refused. After 30 failures in a row, Commerce Layer stops sending.',
  fix:
    'Compare --secret with the secret of the receiver. If they are the same, look at the lines below, and at ' +
    '`npx hooklayer verify`: the signature is base64 of an HMAC-SHA256 over the bytes of the body.',
}

/** All others, in the order of the table. */
const PROBES: readonly Probe[] = [
  {
    name: 'floats',
    kind: 'genuine',
    sends: 'a signed delivery as Commerce Layer writes it, with 20.0 and \\u0026',
    request: async (orders) => [[toRequest(orders, (await orders.draft({ note: 'R&D <1>' })).written)]],
    expected: ACCEPTED,
    means: 'Nearly every order is refused: the signature is checked over a body that was parsed and written anew.',
    fix: READ_BYTES,
  },
  {
    name: 'non-ascii',
    kind: 'genuine',
    sends: 'a signed delivery with names such as Zoë, 東京 and an emoji',
    request: async (orders) => [[toRequest(orders, await draftNonAscii(orders))]],
    expected: ACCEPTED,
    means:
      'Orders of customers with such a name are refused: the body is decoded as Latin-1, or counted in characters.',
    fix: READ_BYTES,
  },
  {
    name: 'split',
    kind: 'genuine',
    sends: 'the same in four packets, split in the middle of each emoji',
    request: async (orders) => {
      const whole = toRequest(orders, await draftNonAscii(orders))
      const [body = new Uint8Array()] = whole.parts
      const first = Buffer.from(body).indexOf(Buffer.from('🦊')) + 2
      const cuts = [0, first, first + 4, first + 8, body.length]
      const parts = cuts.slice(1).map((end, i) => body.subarray(cuts[i], end))
      return [[{ ...whole, parts, pauseMs: 150 }]]
    },
    expected: ACCEPTED,
    means: 'Now and then an order with such a name is refused, by the accident of its packets.',
    fix: 'Collect the chunks as bytes (`Buffer.concat(chunks)`), and decode the whole: `body += chunk` breaks characters.',
  },
  {
    name: '1 MB',
    kind: 'genuine',
    sends: 'a signed delivery of 1 MB; an order of 50 line items has 280 KB',
    request: async (orders) => [[toRequest(orders, (await orders.draft({ note: 'x'.repeat(MEGABYTE) })).text)]],
    expected: ACCEPTED,
    means:
      'Large orders never arrive: the limit of a parser or a proxy is below 1 MB. Express ends at 100 kB by default.',
    fix: 'Raise the limit to 5 MB: `express.raw({ limit: "5mb" })`, `client_max_body_size 5m` of nginx.',
  },
  {
    name: 'chunked',
    kind: 'genuine',
    sends: 'a signed delivery in chunks, without Content-Length',
    request: async (orders) => {
      const body = Buffer.from((await orders.draft()).text)
      const headers = { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' }
      const parts = [body.subarray(0, 100), body.subarray(100), Buffer.alloc(0)].map(toChunk)
      return [[{ headers: toHeaders(orders.topic, signText(body, orders.secret), headers), parts }]]
    },
    expected: ACCEPTED,
    means: 'Behind a proxy that streams bodies, every order is refused.',
    fix: 'Read the body to its end. Do not rely on Content-Length.',
  },
  {
    name: 'http/1.0',
    kind: 'genuine',
    sends: 'a signed delivery over HTTP/1.0, as nginx forwards it by default',
    request: async (orders) => [[{ ...toRequest(orders, (await orders.draft()).text), version: '1.0' }]],
    expected: ACCEPTED,
    means: 'Behind a proxy with its defaults, every order is refused.',
    fix: 'Let the server take HTTP/1.0, or set `proxy_http_version 1.1` in nginx.',
  },
  {
    name: 'lower case',
    kind: 'genuine',
    sends: 'a signed delivery with the names of its headers in lower case, as HTTP/2 and some proxies write them',
    request: async (orders) => {
      const { headers, parts } = toRequest(orders, (await orders.draft()).text)
      const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
      return [[{ headers: lower, parts }]]
    },
    expected: ACCEPTED,
    means: 'Behind such a proxy, every order is refused.',
    fix: 'Look headers up without regard to case.',
  },
  {
    name: 'slow',
    kind: 'genuine',
    sends: 'a signed delivery in ten parts, over two seconds',
    request: async (orders) => {
      const whole = toRequest(orders, (await orders.draft()).text)
      const [body = new Uint8Array()] = whole.parts
      const size = Math.ceil(body.length / 10)
      const parts = Array.from({ length: 10 }, (_, i) => body.subarray(i * size, (i + 1) * size))
      return [[{ ...whole, parts, pauseMs: 220 }]]
    },
    expected: ACCEPTED,
    means: 'Orders are lost when the network is slow.',
    fix: 'Give a body four seconds to arrive.',
  },
  {
    name: 'gzip',
    kind: 'genuine',
    sends: 'a signed delivery that a proxy has compressed',
    request: async (orders) => {
      const { text } = await orders.draft()
      const body = gzipSync(text)
      const headers = { 'Content-Encoding': 'gzip', 'Content-Length': String(body.length) }
      return [[{ headers: toHeaders(orders.topic, signText(text, orders.secret), headers), parts: [body] }]]
    },
    expected: NO_ERROR,
    means: 'Behind a proxy that compresses, every order fails.',
    fix: 'Answer 415, or decompress with a limit before the signature is verified.',
  },
  {
    name: 'repeated',
    kind: 'genuine',
    sends: 'one signed delivery three times, one after another',
    request: async (orders) => {
      const one = toRequest(orders, (await orders.draft()).text)
      return [[one], [one], [one]]
    },
    expected: ACCEPTED,
    means: 'A delivery that comes again, as it does after a lost answer, is refused. It counts as a failure each time.',
    fix: 'Answer 200 to an event that was handled before.',
    look: (answers) =>
      answers.every((answer) => answer.kind === 'answer' && answer.body.includes('"outcome":"handled"'))
        ? {
            means: 'Each copy is handled again. Commerce Layer sends an event at least once, and sometimes twice.',
            fix: 'Add a store: the option `idempotency` of createReceiver.',
          }
        : undefined,
  },
  {
    name: '50 at once',
    kind: 'genuine',
    sends: '50 signed deliveries of different events, at once',
    request: async (orders) => {
      const drafts = await Promise.all(Array.from({ length: AT_ONCE }, () => orders.draft()))
      return [drafts.map(({ text }) => toRequest(orders, text))]
    },
    expected: ACCEPTED,
    means: 'A sale or an import makes deliveries fail. After 30 failures in a row, Commerce Layer stops sending.',
    fix: 'Store deliveries and answer at once: an inbox (docs/durable-inbox.md).',
  },
  {
    name: 'altered',
    kind: 'forged',
    sends: 'a delivery with a letter changed after it was signed',
    request: async (orders) => {
      const { text } = await orders.draft()
      const altered = text.replace('hooklayer doctor', 'hooklayer Doctor').replace('"id":"doctor', '"id":"Doctor')
      return [[toRequest(orders, altered, { signature: signText(text, orders.secret) })]]
    },
    expected: REFUSED,
    means: `It is acknowledged, so the signature is not that of the body. ${ANYBODY}`,
    fix: 'Compute the HMAC-SHA256 over the whole body.',
  },
  {
    name: 'unsigned',
    kind: 'forged',
    sends: 'a delivery without a signature',
    request: async (orders) => [[toRequest(orders, (await orders.draft()).text, { signature: undefined })]],
    expected: REFUSED,
    means: `It is acknowledged. ${ANYBODY}`,
    fix: 'Refuse a delivery without the header X-CommerceLayer-Signature.',
  },
  {
    name: 'short signature',
    kind: 'forged',
    sends: 'a delivery whose signature is one letter, or empty',
    request: async (orders) => {
      const { text } = await orders.draft()
      return [['x', ''].map((signature) => toRequest(orders, text, { signature }))]
    },
    expected: REFUSED,
    means: `It is acknowledged. ${ANYBODY}`,
    fix: 'Compare the lengths first, then the bytes with timingSafeEqual, which throws for other lengths.',
  },
  {
    name: 'two signatures',
    kind: 'forged',
    sends: 'a delivery with two signatures in one header',
    request: async (orders) => {
      const { text } = await orders.draft()
      const signature = signText(text, orders.strangeSecret)
      return [[toRequest(orders, text, { signature: `${signature}, ${signature}` })]]
    },
    expected: REFUSED,
    means: `It is acknowledged. ${ANYBODY}`,
    fix: 'Compare the header as a whole.',
  },
  {
    name: 'hex signature',
    kind: 'forged',
    isSigned: true,
    sends: 'a delivery whose signature is written in hex, and not in base64',
    request: async (orders) => {
      const { text } = await orders.draft()
      return [[toRequest(orders, text, { signature: signText(text, orders.secret, 'hex') })]]
    },
    expected: REFUSED,
    means: 'It expects hex. Commerce Layer signs in base64, so every order is refused.',
    fix: "Compute the signature with `.digest('base64')`.",
  },
  {
    name: 're-serialized',
    kind: 'forged',
    isSigned: true,
    sends: 'deliveries that are signed for their text as JavaScript, Python and PHP would write it',
    request: async (orders) => {
      const { written } = await orders.draft({ note: 'R&D, Zoë' })
      const signatures = reserialize(written).map((other) => signText(other, orders.secret))
      return [signatures.map((signature) => toRequest(orders, written, { signature }))]
    },
    expected: REFUSED,
    means: 'The body is parsed and written anew before it is verified, so orders with 20.0 or \\u0026 are refused.',
    fix: READ_BYTES,
  },
  {
    name: 'other topic',
    kind: 'forged',
    isSigned: true,
    sends: 'a delivery that was signed for its own topic, under another one',
    request: async (orders) => [[toRequest(orders, (await orders.draft()).text, { topic: orders.otherTopic })]],
    expected: REFUSED,
    means: 'The topic is not signed: whoever captures one delivery can send it again as another event.',
    fix: 'Give each webhook a secret of its own, and choose the secret by the header X-CommerceLayer-Topic.',
  },
  {
    name: 'no secret',
    kind: 'forged',
    isSigned: true,
    sends: 'deliveries that are signed with an empty secret, and with `undefined`, also of an unknown topic',
    request: async (orders) => {
      const { text } = await orders.draft()
      const requests = [orders.topic, 'galaxies.explode'].flatMap((topic) =>
        ['', 'undefined'].map((secret) => toRequest(orders, text, { topic, signature: signText(text, secret) })),
      )
      return [requests]
    },
    expected: REFUSED,
    means: `A secret that is not set counts as a secret. ${ANYBODY}`,
    fix: 'Refuse to start without the secret, and refuse topics that have none.',
  },
  {
    name: 'not json',
    kind: 'forged',
    sends: 'a forged body that is no JSON',
    request: async (orders) => [[toRequest(orders, '{"data":', strange(orders))]],
    expected: UNAUTHORIZED,
    means: 'Bodies are parsed before they are verified: a parser works for every stranger, and its mistakes are yours.',
    fix: READ_BYTES,
  },
  {
    name: 'empty',
    kind: 'forged',
    sends: 'forged deliveries without a body, with and without Content-Length',
    request: async (orders) => {
      const empty = toRequest(orders, '', strange(orders))
      return [[empty, { headers: toHeaders(orders.topic, strange(orders).signature), parts: [] }]]
    },
    expected: REFUSED,
    means: `It is acknowledged. ${ANYBODY}`,
    fix: 'Take a missing body as empty bytes.',
  },
  {
    name: 'no topic',
    kind: 'forged',
    sends: 'a delivery without a topic',
    request: async (orders) => [
      [toRequest(orders, (await orders.draft()).text, { topic: undefined, ...strange(orders) })],
    ],
    expected: NO_ERROR,
    means: '',
    fix: 'Answer 400 without the header X-CommerceLayer-Topic.',
  },
  {
    name: 'unknown topic',
    kind: 'forged',
    sends: 'forged deliveries of topics that do not exist: galaxies.explode, constructor, __proto__',
    request: async (orders) => {
      const { text } = await orders.draft()
      const topics = ['galaxies.explode', 'constructor', '__proto__']
      return [topics.map((topic) => toRequest(orders, text, { topic, ...strange(orders) }))]
    },
    expected: NO_ERROR,
    means: '',
    fix: 'Look secrets and handlers up with Object.hasOwn or in a Map, and refuse a topic that has none.',
  },
  {
    name: 'get',
    kind: 'forged',
    sends: 'a GET, as a browser sends it',
    request: async () => [[{ method: 'GET', headers: { Accept: 'text/html' }, parts: [] }]],
    expected: CLIENT_ERROR,
    level: 'note',
    means: 'It is answered otherwise. That is harmless if nothing is done, but a monitor learns nothing from it.',
    fix: 'Answer 405 to every method but POST.',
  },
  {
    name: 'stalled',
    kind: 'forged',
    sends: 'the beginning of a body whose rest never comes',
    request: async (orders) => {
      const headers = toHeaders(orders.topic, strange(orders).signature, { 'Content-Length': '100000' })
      return [[{ headers, parts: [Buffer.from('{"data":')] }]]
    },
    expected: NOT_HANGING,
    level: 'note',
    means: 'A stranger can hold connections. Node closes them after five minutes by default.',
    fix: 'Set `server.requestTimeout = 10_000`, or the time-outs of the proxy in front.',
  },
  {
    name: 'cut',
    kind: 'forged',
    sends: 'half of a body, and then the client is gone',
    request: async (orders) => {
      const whole = toRequest(orders, (await orders.draft()).text, strange(orders))
      return [[{ ...whole, parts: whole.parts.map((part) => part.subarray(0, part.length / 2)), cut: true }]]
    },
    expected: ANYTHING,
    means: '',
    fix: '',
  },
]

/** It comes last: whatever the others have done, the endpoint must still be there. */
const AFTERWARDS: Probe = {
  ...FORGED,
  name: 'afterwards',
  sends: 'the forged delivery of the beginning once more',
}

/** What is sent to an endpoint of webhooks. */
export const DELIVERIES: Suite = { forged: FORGED, plain: PLAIN, others: PROBES, afterwards: AFTERWARDS }

function strange(orders: Orders): { readonly signature: string } {
  return { signature: signText('', orders.strangeSecret) }
}

async function draftNonAscii(orders: Orders): Promise<string> {
  return (await orders.draft({ note: 'Zoë Fontaine, 東京都, 🦊🦊🦊' })).text
}
