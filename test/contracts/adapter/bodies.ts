import { request as httpRequest } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { withHeaders } from '../../deliveries.ts'
import { HANDLED, ORDER, orderText, type Sent, sentAs } from './deliveries.ts'
import { digestOf, type RemoteReceiver, send, type Target } from './harness.ts'
import type { Host } from './host.ts'

const MEGABYTE = 1024 * 1024

const CONTENT_TYPES = [
  undefined,
  'application/vnd.api+json',
  'text/plain; charset=latin1',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'nonsense',
]

/** The receiver gets exactly the bytes that were sent, however they are sent. */
export function testBodies({ open, needs }: Host): void {
  describe('hands over the exact bytes', () => {
    it.each([
      ['of floats and escapes that JSON.stringify would change', orderText()],
      ['of text with emoji and combining characters', orderText({ name: 'Zoë 🛒 e\u0301 \u{10FFFF}' })],
      ['of JSON with white space around it', `\r\n\t ${orderText()} \n`],
      ['of an order of one megabyte', orderText({ padding: MEGABYTE, name: 'Zoë' })],
      ['of an order of four megabytes', orderText({ padding: 4 * MEGABYTE })],
    ])('%s', async (_, text) => {
      const remote = await open()
      const sent = sentAs('orders.place', text)
      const answer = await send(remote, sent)
      expect([answer.status, answer.text]).toEqual([200, HANDLED])
      await expectBodies(remote, sent)
    })

    it('of a body in chunks, without a length', async () => {
      const remote = await open()
      expect(await sendChunked(remote, ORDER, 100)).toBe(200)
      await expectBodies(remote, ORDER)
    })
  })

  for (const type of CONTENT_TYPES) {
    const test = type?.includes('/') === false ? needs('any content type') : it
    test(`does not depend on the content type: ${type}`, async () => {
      const remote = await open()
      const answer = await remote.expectSameAnswer(withHeaders(ORDER, { 'content-type': type }))
      expect([answer.status, answer.text]).toEqual([200, HANDLED])
    })
  }

  it('finds the headers in whatever case their names are', async () => {
    const { headers, body } = ORDER
    const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))
    const answer = await send(await open(), { headers: upper, body })
    expect([answer.status, answer.text]).toEqual([200, HANDLED])
  })

  it('refuses a compressed body, whether its signature covers the plain bytes or the compressed ones', async () => {
    const remote = await open()
    const compressed = sentAs('orders.place', gzipSync(ORDER.body))
    for (const { headers } of [ORDER, compressed]) {
      const sent = withHeaders({ ...ORDER, headers, body: compressed.body }, { 'content-encoding': 'gzip' })
      const answer = await remote.expectSameAnswer(sent)
      expect([answer.status, answer.body.error.code]).toEqual([415, 'ENCODING_UNSUPPORTED'])
    }
    expect((await remote.observed()).events).toEqual([])
  })

  it('takes a body of exactly `maxBodyBytes`, and refuses one of a byte more', async () => {
    const remote = await open({ limits: { maxBodyBytes: ORDER.body.length } })
    expect((await remote.expectSameAnswer(ORDER)).status).toBe(200)
    const longer = sentAs('orders.place', Buffer.concat([ORDER.body, Buffer.from(' ')]))
    expect((await remote.expectSameAnswer(longer)).body.error.code).toBe('BODY_TOO_LARGE')
    await expectBodies(remote, ORDER)
  })

  it('applies the same limit to a body without a length', async () => {
    const remote = await open({ limits: { maxBodyBytes: ORDER.body.length } })
    expect(await sendChunked(remote, ORDER)).toBe(200)
    const longer = sentAs('orders.place', Buffer.concat([ORDER.body, Buffer.from(' ')]))
    expect(await sendChunked(remote, longer)).toBe(413)
    await expectBodies(remote, ORDER)
  })

  needs('streamed bodies')('takes a chunked body with pauses between its chunks', async () => {
    const remote = await open()
    expect(await sendChunked(remote, ORDER, 200, 20)).toBe(200)
    await expectBodies(remote, ORDER)
  })
}

async function expectBodies(remote: RemoteReceiver, ...sent: readonly Sent[]): Promise<void> {
  const { events } = await remote.observed()
  expect(events.map(({ sha256 }) => sha256)).toEqual(sent.map(({ body }) => digestOf(body)))
}

/** Sends a body with `Transfer-Encoding: chunked`; resolves to the status of the answer. */
function sendChunked(
  { url, headers: own }: Target,
  { headers, body }: Sent,
  chunkBytes = body.length,
  pauseMs = 0,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', headers: { ...own, ...headers } }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode))
    })
    request.once('error', reject)
    request.flushHeaders()
    let at = 0
    const writeNext = () => {
      if (at >= body.length) {
        request.end()
        return
      }
      request.write(body.subarray(at, at + chunkBytes))
      at += chunkBytes
      if (pauseMs) setTimeout(writeNext, pauseMs)
      else writeNext()
    }
    writeNext()
  })
}
