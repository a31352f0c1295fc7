import { request as httpRequest } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { withHeaders } from '../../deliveries.ts'
import { HANDLED, ORDER, orderText, type Sent, sentAs } from './deliveries.ts'
import { digestOf, type Scene, send, type Target } from './harness.ts'
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

/** That the receiver is handed the bytes as they came, in whatever way they come. */
export function testBodies({ open, needs }: Host): void {
  describe('hands over the exact bytes', () => {
    it.each([
      ['of floats and escapes that JSON.stringify would write in another way', orderText()],
      ['of text with emoji and combining characters', orderText({ name: 'Zoë 🛒 e\u0301 \u{10FFFF}' })],
      ['of JSON with white space around it', `\r\n\t ${orderText()} \n`],
      ['of an order of one megabyte', orderText({ padding: MEGABYTE, name: 'Zoë' })],
      ['of an order of four megabytes', orderText({ padding: 4 * MEGABYTE })],
    ])('%s', async (_, text) => {
      const scene = await open()
      const sent = sentAs('orders.place', text)
      const answer = await send(scene, sent)
      expect([answer.status, answer.text]).toEqual([200, HANDLED])
      await expectBodies(scene, sent)
    })

    it('of a body that comes in chunks, without a length', async () => {
      const scene = await open()
      expect(await sendChunked(scene, ORDER, 100)).toBe(200)
      await expectBodies(scene, ORDER)
    })
  })

  for (const type of CONTENT_TYPES) {
    const test = type?.includes('/') === false ? needs('any content type') : it
    test(`does not depend on the content type: ${type}`, async () => {
      const scene = await open()
      const answer = await scene.expectSameAnswer(withHeaders(ORDER, { 'content-type': type }))
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
    const scene = await open()
    const compressed = sentAs('orders.place', gzipSync(ORDER.body))
    for (const { headers } of [ORDER, compressed]) {
      const sent = withHeaders({ ...ORDER, headers, body: compressed.body }, { 'content-encoding': 'gzip' })
      const answer = await scene.expectSameAnswer(sent)
      expect([answer.status, answer.body.error.code]).toEqual([415, 'ENCODING_UNSUPPORTED'])
    }
    expect((await scene.seen()).events).toEqual([])
  })

  it('takes a body of exactly `maxBodyBytes`, and refuses one of a byte more', async () => {
    const scene = await open({ limits: { maxBodyBytes: ORDER.body.length } })
    expect((await scene.expectSameAnswer(ORDER)).status).toBe(200)
    const longer = sentAs('orders.place', Buffer.concat([ORDER.body, Buffer.from(' ')]))
    expect((await scene.expectSameAnswer(longer)).body.error.code).toBe('BODY_TOO_LARGE')
    await expectBodies(scene, ORDER)
  })

  it('holds a body without a length to the same limit', async () => {
    const scene = await open({ limits: { maxBodyBytes: ORDER.body.length } })
    expect(await sendChunked(scene, ORDER)).toBe(200)
    const longer = sentAs('orders.place', Buffer.concat([ORDER.body, Buffer.from(' ')]))
    expect(await sendChunked(scene, longer)).toBe(413)
    await expectBodies(scene, ORDER)
  })

  needs('bodies on their way')('takes a chunked body that dawdles between its chunks', async () => {
    const scene = await open()
    expect(await sendChunked(scene, ORDER, 200, 20)).toBe(200)
    await expectBodies(scene, ORDER)
  })
}

async function expectBodies(scene: Scene, ...sent: readonly Sent[]): Promise<void> {
  const { events } = await scene.seen()
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
