import { ANYTHING, CLIENT_ERROR, NO_ERROR, NOT_HANGING, READ_BYTES, REFUSED, UNAUTHORIZED } from './expectations.ts'
import type { Probe } from './probe.ts'
import { type ProbeFixture, reserialize, signText, toHeaders, toRequest } from './probe-fixture.ts'

const ANYBODY = 'Whoever knows the URL can place, cancel and refund orders in your systems.'

/** With `PLAIN`, what the others are compared with. */
export const FORGED: Probe = {
  name: 'forged',
  kind: 'forged',
  sends: 'a delivery that is signed with another secret',
  request: async (fixture) => {
    const { text } = await fixture.draft()
    return [[toRequest(fixture, text, { signature: signText(text, fixture.wrongSecret) })]]
  },
  expected: REFUSED,
  means: `It is acknowledged. ${ANYBODY}`,
  fix: 'Compare the header X-CommerceLayer-Signature with the HMAC-SHA256 of the body, and answer only after that.',
}

/** All others that are to be refused, in the order of the table. */
export const FORGED_PROBES: readonly Probe[] = [
  {
    name: 'altered',
    kind: 'forged',
    sends: 'a delivery with a letter changed after it was signed',
    request: async (fixture) => {
      const { text } = await fixture.draft()
      const altered = text.replace('hooklayer doctor', 'hooklayer Doctor').replace('"id":"doctor', '"id":"Doctor')
      return [[toRequest(fixture, altered, { signature: signText(text, fixture.secret) })]]
    },
    expected: REFUSED,
    means: `It is acknowledged, so the signature is not that of the body. ${ANYBODY}`,
    fix: 'Compute the HMAC-SHA256 over the whole body.',
  },
  {
    name: 'unsigned',
    kind: 'forged',
    sends: 'a delivery without a signature',
    request: async (fixture) => [[toRequest(fixture, (await fixture.draft()).text, { signature: undefined })]],
    expected: REFUSED,
    means: `It is acknowledged. ${ANYBODY}`,
    fix: 'Refuse a delivery without the header X-CommerceLayer-Signature.',
  },
  {
    name: 'short signature',
    kind: 'forged',
    sends: 'a delivery whose signature is one letter, or empty',
    request: async (fixture) => {
      const { text } = await fixture.draft()
      return [['x', ''].map((signature) => toRequest(fixture, text, { signature }))]
    },
    expected: REFUSED,
    means: `It is acknowledged. ${ANYBODY}`,
    fix: 'Compare the lengths first, then the bytes with timingSafeEqual, which throws for other lengths.',
  },
  {
    name: 'two signatures',
    kind: 'forged',
    sends: 'a delivery with two signatures in one header',
    request: async (fixture) => {
      const { text } = await fixture.draft()
      const signature = signText(text, fixture.wrongSecret)
      return [[toRequest(fixture, text, { signature: `${signature}, ${signature}` })]]
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
    request: async (fixture) => {
      const { text } = await fixture.draft()
      return [[toRequest(fixture, text, { signature: signText(text, fixture.secret, 'hex') })]]
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
    request: async (fixture) => {
      const { written } = await fixture.draft({ note: 'R&D, Zoë' })
      const signatures = reserialize(written).map((other) => signText(other, fixture.secret))
      return [signatures.map((signature) => toRequest(fixture, written, { signature }))]
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
    request: async (fixture) => [[toRequest(fixture, (await fixture.draft()).text, { topic: fixture.otherTopic })]],
    expected: REFUSED,
    means: 'The topic is not signed: whoever captures one delivery can send it again as another event.',
    fix: 'Give each webhook a secret of its own, and choose the secret by the header X-CommerceLayer-Topic.',
  },
  {
    name: 'no secret',
    kind: 'forged',
    isSigned: true,
    sends: 'deliveries that are signed with an empty secret, and with `undefined`, also of an unknown topic',
    request: async (fixture) => {
      const { text } = await fixture.draft()
      const requests = [fixture.topic, 'galaxies.explode'].flatMap((topic) =>
        ['', 'undefined'].map((secret) => toRequest(fixture, text, { topic, signature: signText(text, secret) })),
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
    request: async (fixture) => [[toRequest(fixture, '{"data":', signWrongly(fixture))]],
    expected: UNAUTHORIZED,
    means: 'Bodies are parsed before they are verified: a parser works for every stranger, and its mistakes are yours.',
    fix: READ_BYTES,
  },
  {
    name: 'empty',
    kind: 'forged',
    sends: 'forged deliveries without a body, with and without Content-Length',
    request: async (fixture) => {
      const empty = toRequest(fixture, '', signWrongly(fixture))
      return [[empty, { headers: toHeaders(fixture.topic, signWrongly(fixture).signature), parts: [] }]]
    },
    expected: REFUSED,
    means: `It is acknowledged. ${ANYBODY}`,
    fix: 'Take a missing body as empty bytes.',
  },
  {
    name: 'no topic',
    kind: 'forged',
    sends: 'a delivery without a topic',
    request: async (fixture) => [
      [toRequest(fixture, (await fixture.draft()).text, { topic: undefined, ...signWrongly(fixture) })],
    ],
    expected: NO_ERROR,
    means: '',
    fix: 'Answer 400 without the header X-CommerceLayer-Topic.',
  },
  {
    name: 'unknown topic',
    kind: 'forged',
    sends: 'forged deliveries of topics that do not exist: galaxies.explode, constructor, __proto__',
    request: async (fixture) => {
      const { text } = await fixture.draft()
      const topics = ['galaxies.explode', 'constructor', '__proto__']
      return [topics.map((topic) => toRequest(fixture, text, { topic, ...signWrongly(fixture) }))]
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
    request: async (fixture) => {
      const headers = toHeaders(fixture.topic, signWrongly(fixture).signature, { 'Content-Length': '100000' })
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
    request: async (fixture) => {
      const whole = toRequest(fixture, (await fixture.draft()).text, signWrongly(fixture))
      return [[{ ...whole, parts: whole.parts.map((part) => part.subarray(0, part.length / 2)), cut: true }]]
    },
    expected: ANYTHING,
    means: '',
    fix: '',
  },
]

function signWrongly(fixture: ProbeFixture): { readonly signature: string } {
  return { signature: signText('', fixture.wrongSecret) }
}
