import { describe, expect, it } from 'vitest'
import { ORDER, UNSIGNED } from './deliveries.ts'
import { expectNextSenderServed } from './disconnects.ts'
import { digestOf, type Target, wait } from './harness.ts'
import type { Host } from './host.ts'
import { chunkOf, connect, headOf, type RawClient, requestOf } from './raw-client.ts'

const CHUNKED = { ...ORDER.headers, 'transfer-encoding': 'chunked' }
const { 'x-commercelayer-signature': SIGNATURE = '', 'x-commercelayer-topic': TOPIC = '' } = ORDER.headers
const LENGTH = String(ORDER.body.length)
const END = '0\r\n\r\n'

type Bytes = (target: Target) => string | Uint8Array

const join = (...parts: readonly (string | Uint8Array)[]) => Buffer.concat(parts.map((part) => Buffer.from(part)))
const announcing =
  (...lengths: readonly string[]): Bytes =>
  (target) =>
    join(headOf(target, [...lines(ORDER.headers), ...lengths.map((length) => `content-length: ${length}`)]), ORDER.body)
const encodedAs =
  (...encodings: readonly string[]): Bytes =>
  (target) =>
    join(headOf(target, [...lines(ORDER.headers), ...encodings]), chunkOf(ORDER.body), END)
const chunkedAs =
  (...parts: readonly (string | Uint8Array)[]): Bytes =>
  (target) =>
    join(headOf(target, CHUNKED), ...parts)
const withFields =
  (...fields: readonly string[]): Bytes =>
  (target) =>
    join(headOf(target, [...lines(UNSIGNED.headers), `content-length: ${LENGTH}`, ...fields]), ORDER.body)
/** The request line, or the `Host`, replaced. */
const replaced =
  (pattern: RegExp, text: string | ((target: Target) => string)): Bytes =>
  (target) => {
    const head = headOf(target, { ...ORDER.headers, 'content-length': LENGTH })
    return join(head.replace(pattern, typeof text === 'string' ? text : text(target)), ORDER.body)
  }

/** Unsigned orders: their signature is where none counts. */
const UNSIGNED_ORDERS: readonly (readonly [what: string, bytes: Bytes])[] = [
  ['a signature in the trailers', (target) => unsignedWithTrailer(target)],
  ['a signature on a folded line', withFields(`x-commercelayer-signature:\r\n ${SIGNATURE}`)],
  ['a space before the colon of the signature', withFields(`x-commercelayer-signature : ${SIGNATURE}`)],
  ['NUL in the signature', withFields(`x-commercelayer-signature: ${SIGNATURE}\0`)],
  ['NUL in the name of a header', withFields(`x-commercelayer-\0signature: ${SIGNATURE}`)],
  ['a carriage return in a header', withFields(`x-a: b\rx-commercelayer-signature: ${SIGNATURE}`)],
  ['a header without a colon', withFields('x-commercelayer-signature')],
  ['a header without a name', withFields(`: ${SIGNATURE}`)],
  ['underscores for hyphens', withFields(`x_commercelayer_signature: ${SIGNATURE}`)],
  ['3,000 headers', withFields(...Array.from({ length: 3000 }, (_, at) => `x-${at}: 1`))],
]

const LENIENT = ['a space before the colon of the signature', 'a carriage return in a header']

/** None of these may reach a handler with other bytes than the signed ones, nor disturb the next sender. */
const MALFORMED: readonly (readonly [what: string, bytes: Bytes])[] = [
  ['a length and chunks at once', encodedAs(`content-length: ${LENGTH}`, 'transfer-encoding: chunked')],
  ['a length of 0 and chunks at once', encodedAs('transfer-encoding: chunked', 'content-length: 0')],
  ['two lengths', announcing(LENGTH, '10')],
  ['the same length twice', announcing(LENGTH, LENGTH)],
  ['a list of lengths', announcing(`${LENGTH}, ${LENGTH}`)],
  ['a length with a sign', announcing(`+${LENGTH}`)],
  ['a negative length', announcing('-1')],
  ['a length in hex', announcing('0x10')],
  ['a length with an exponent', announcing('1e3')],
  ['a length that no number can hold', announcing('9'.repeat(30))],
  ['a body that is longer than announced', announcing('10')],
  ['a body although none is announced', announcing('0')],
  ['an encoding that looks like chunked', encodedAs('transfer-encoding: xchunked')],
  ['chunked twice', encodedAs('transfer-encoding: chunked, chunked')],
  ['chunked before another encoding', encodedAs('transfer-encoding: chunked, gzip')],
  ['chunked after a vertical tab', encodedAs('transfer-encoding: \x0bchunked')],
  ['chunks with extensions', chunkedAs(chunkOf(ORDER.body).toString('latin1').replace('\r\n', ';a=b;c="d"\r\n'), END)],
  ['a chunk with an extension of 100 KB', chunkedAs(`5;${'x'.repeat(100_000)}\r\n`, 'hello\r\n', END)],
  ['a chunk whose size is no number', chunkedAs('zz\r\nhello\r\n', END)],
  ['a chunk whose size is negative', chunkedAs('-5\r\nhello\r\n', END)],
  ['a chunk whose size overflows', chunkedAs('fffffffffffffffff\r\nhello\r\n', END)],
  ['a chunk that is longer than its size', chunkedAs('2\r\nhello\r\n', END)],
  ['a chunk with bare line feeds', chunkedAs('5\nhello\n0\n\n')],
  ['100 KB of headers', withFields(`x-padding: ${'x'.repeat(100_000)}`, `x-commercelayer-signature: ${SIGNATURE}`)],
  [
    'lines that end in bare line feeds',
    (target) => requestOf(target, ORDER).toString('latin1').replaceAll('\r\n', '\n'),
  ],
  ['an unknown expectation', replaced(/\r\n\r\n$/, '\r\nexpect: a miracle\r\n\r\n')],
  ['an upgrade to HTTP/2', replaced(/\r\n\r\n$/, '\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n')],
  ['an upgrade to a web socket', replaced(/\r\n\r\n$/, '\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')],
  ['no host', replaced(/^Host: .*\r\n/m, '')],
  ['two hosts', replaced(/^Host: .*\r\n/m, (target) => `Host: a.example\r\nHost: ${new URL(target.url).host}\r\n`)],
  ['a host that is none', replaced(/^Host: .*\r\n/m, 'Host: a b/c?d#e\r\n')],
  ['a target in absolute form', replaced(/^POST \S+/, (target) => `POST ${target.url}`)],
  ['a target on another host', replaced(/^POST \S+/, 'POST http://evil.example/webhooks')],
  ['a target in asterisk form', replaced(/^POST \S+/, 'POST *')],
  ['a target that is no path', replaced(/^POST \S+/, 'POST ://%%%')],
  ['a target that climbs', replaced(/^POST \S+/, 'POST /../../%2e%2e/%00')],
  ['a target of 100 KB', replaced(/^POST \S+/, `POST /${'x'.repeat(100_000)}`)],
  ['a method in lower case', replaced(/^POST/, 'post')],
  ['a method that is none', replaced(/^POST/, 'P\0ST')],
  ['CONNECT', replaced(/^POST \S+/, 'CONNECT shop.example:443')],
  ['TRACE', replaced(/^POST/, 'TRACE')],
  ['HTTP/1.0', replaced(/HTTP\/1\.1/, 'HTTP/1.0')],
  ['HTTP/9.9', replaced(/HTTP\/1\.1/, 'HTTP/9.9')],
  ['no version', replaced(/ HTTP\/1\.1/, '')],
  ['the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a greeting of TLS', () => Buffer.from('160301020001000001fc0303', 'hex')],
  ['random bytes', () => Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 251))],
  ['blank lines alone', () => '\r\n'.repeat(1000)],
]

/** What is not HTTP, or tries to be two things at once: smuggled requests, hidden headers, broken chunks. */
export function testMalformed({ open, needs }: Host): void {
  const expectHandled = async (bytesFor: Bytes, atMost: number) => {
    const remote = await open()
    const client = await connect(remote)
    await client.send(bytesFor(remote))
    await waitForEnd(client)
    await expectNextSenderServed(remote)
    const { events, errors } = await remote.observed()
    expect(new Set(events.map(({ sha256 }) => sha256))).toEqual(new Set([digestOf(ORDER.body)]))
    expect(events.length).toBeLessThanOrEqual(atMost)
    expect(errors).not.toContain('INTERNAL_ERROR')
  }

  describe('survives, and hands over nothing but signed bytes:', () => {
    for (const [what, bytesFor] of MALFORMED) it(what, () => expectHandled(bytesFor, 2))
  })

  describe('does not take for a signature', () => {
    for (const [what, bytesFor] of UNSIGNED_ORDERS) {
      const test = LENIENT.includes(what) ? needs('strict headers') : it
      test(what, () => expectHandled(bytesFor, 1))
    }
  })
}

function lines(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
}

function unsignedWithTrailer(target: Target): Buffer {
  const head = headOf(target, {
    ...UNSIGNED.headers,
    'transfer-encoding': 'chunked',
    trailer: 'x-commercelayer-signature',
  })
  const trailers = `0\r\nx-commercelayer-signature: ${SIGNATURE}\r\nx-commercelayer-topic: ${TOPIC}\r\n\r\n`
  return join(head, chunkOf(ORDER.body), trailers)
}

/** Waits for the answer or the end of the connection, or until the host shows that it waits for more. */
async function waitForEnd(client: RawClient): Promise<void> {
  await Promise.race([client.answer().catch(() => {}), client.closed, wait(150)])
  client.reset()
}
