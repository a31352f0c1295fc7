import { gzipSync } from 'node:zlib'
import { ACCEPTED, NO_ERROR, READ_BYTES } from './expectations.ts'
import type { Probe } from './probe.ts'
import { type ProbeFixture, signText, toChunk, toHeaders, toRequest } from './probe-fixture.ts'

const MEGABYTE = 1_000_000
const AT_ONCE = 50

/** With `FORGED`, what the others are compared with. */
export const PLAIN: Probe = {
  name: 'plain',
  kind: 'genuine',
  sends: 'a signed delivery in plain ASCII, which parsers and serializers do not change',
  request: async (fixture) => {
    return [[toRequest(fixture, (await fixture.draft()).text)]]
  },
  expected: ACCEPTED,
  means: 'Every order is refused. After 30 failures in a row, Commerce Layer stops sending.',
  fix:
    'Compare --secret with the secret of the receiver. If they are the same, look at the lines below, and at ' +
    '`npx hooklayer verify`: the signature is base64 of an HMAC-SHA256 over the bytes of the body.',
}

/** All other true deliveries, in the order of the table. */
export const GENUINE_PROBES: readonly Probe[] = [
  {
    name: 'floats',
    kind: 'genuine',
    sends: 'a signed delivery as Commerce Layer writes it, with 20.0 and \\u0026',
    request: async (fixture) => [[toRequest(fixture, (await fixture.draft({ note: 'R&D <1>' })).written)]],
    expected: ACCEPTED,
    means: 'Nearly every order is refused: the signature is checked over a body that was parsed and written anew.',
    fix: READ_BYTES,
  },
  {
    name: 'non-ascii',
    kind: 'genuine',
    sends: 'a signed delivery with names such as Zoë, 東京 and an emoji',
    request: async (fixture) => [[toRequest(fixture, await draftNonAscii(fixture))]],
    expected: ACCEPTED,
    means:
      'Orders of customers with such a name are refused: the body is decoded as Latin-1, or counted in characters.',
    fix: READ_BYTES,
  },
  {
    name: 'split',
    kind: 'genuine',
    sends: 'the same in four packets, split in the middle of each emoji',
    request: async (fixture) => {
      const whole = toRequest(fixture, await draftNonAscii(fixture))
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
    request: async (fixture) => [[toRequest(fixture, (await fixture.draft({ note: 'x'.repeat(MEGABYTE) })).text)]],
    expected: ACCEPTED,
    means:
      'Large orders never arrive: the limit of a parser or a proxy is below 1 MB. Express ends at 100 kB by default.',
    fix: 'Raise the limit to 5 MB: `express.raw({ limit: "5mb" })`, `client_max_body_size 5m` of nginx.',
  },
  {
    name: 'chunked',
    kind: 'genuine',
    sends: 'a signed delivery in chunks, without Content-Length',
    request: async (fixture) => {
      const body = Buffer.from((await fixture.draft()).text)
      const headers = { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' }
      const parts = [body.subarray(0, 100), body.subarray(100), Buffer.alloc(0)].map(toChunk)
      return [[{ headers: toHeaders(fixture.topic, signText(body, fixture.secret), headers), parts }]]
    },
    expected: ACCEPTED,
    means: 'Behind a proxy that streams bodies, every order is refused.',
    fix: 'Read the body to its end. Do not rely on Content-Length.',
  },
  {
    name: 'http/1.0',
    kind: 'genuine',
    sends: 'a signed delivery over HTTP/1.0, as nginx forwards it by default',
    request: async (fixture) => [[{ ...toRequest(fixture, (await fixture.draft()).text), version: '1.0' }]],
    expected: ACCEPTED,
    means: 'Behind a proxy with its defaults, every order is refused.',
    fix: 'Let the server take HTTP/1.0, or set `proxy_http_version 1.1` in nginx.',
  },
  {
    name: 'lower case',
    kind: 'genuine',
    sends: 'a signed delivery with the names of its headers in lower case, as HTTP/2 and some proxies write them',
    request: async (fixture) => {
      const { headers, parts } = toRequest(fixture, (await fixture.draft()).text)
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
    request: async (fixture) => {
      const whole = toRequest(fixture, (await fixture.draft()).text)
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
    request: async (fixture) => {
      const { text } = await fixture.draft()
      const body = gzipSync(text)
      const headers = { 'Content-Encoding': 'gzip', 'Content-Length': String(body.length) }
      return [[{ headers: toHeaders(fixture.topic, signText(text, fixture.secret), headers), parts: [body] }]]
    },
    expected: NO_ERROR,
    means: 'Behind a proxy that compresses, every order fails.',
    fix: 'Answer 415, or decompress with a limit before the signature is verified.',
  },
  {
    name: 'repeated',
    kind: 'genuine',
    sends: 'one signed delivery three times, one after another',
    request: async (fixture) => {
      const one = toRequest(fixture, (await fixture.draft()).text)
      return [[one], [one], [one]]
    },
    expected: ACCEPTED,
    means: 'A delivery that comes again, as it does after a lost answer, is refused. It counts as a failure each time.',
    fix: 'Answer 200 to an event that was handled before.',
    check: (answers) =>
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
    request: async (fixture) => {
      const drafts = await Promise.all(Array.from({ length: AT_ONCE }, () => fixture.draft()))
      return [drafts.map(({ text }) => toRequest(fixture, text))]
    },
    expected: ACCEPTED,
    means: 'A sale or an import makes deliveries fail. After 30 failures in a row, Commerce Layer stops sending.',
    fix: 'Store deliveries and answer at once: an inbox (docs/durable-inbox.md).',
  },
]

async function draftNonAscii(fixture: ProbeFixture): Promise<string> {
  return (await fixture.draft({ note: 'Zoë Fontaine, 東京都, 🦊🦊🦊' })).text
}
