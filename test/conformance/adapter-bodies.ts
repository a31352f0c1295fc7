import { request as httpRequest } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { orderText, type Sent, signed, withHeaders } from './deliveries.ts'
import { expectSameAnswer, type Stage, send } from './scene.ts'

/** That the receiver is handed the bytes as they came, in whatever way they come. */
export function testBodies({ serve }: Stage): void {
  describe('hands over the exact bytes', () => {
    it.each([
      ['of floats and escapes that JSON.stringify would write in another way', orderText()],
      ['of text with emoji and combining characters', orderText({ name: 'Zoë 🛒 é \u{10FFFF}' })],
      ['of JSON with white space around it', `\r\n\t ${orderText()} \n`],
      ['of an order of one megabyte', orderText({ padding: 1024 * 1024, name: 'Zoë' })],
      ['of an order of four megabytes', orderText({ padding: 4 * 1024 * 1024 })],
    ])('%s', async (_, text) => {
      const { receiver, url } = await serve()
      const bodies: Uint8Array[] = []
      receiver.on('orders.place', ({ rawBody }) => bodies.push(rawBody))
      const answer = await send(url, signed('orders.place', text))
      expect([answer.status, answer.text]).toEqual([200, '{"outcome":"handled"}'])
      expect(bodies.map((body) => Buffer.from(body).equals(Buffer.from(text)))).toEqual([true])
    })

    it('of a body that comes in chunks, without a length', async () => {
      const { receiver, url } = await serve()
      const bodies: Uint8Array[] = []
      receiver.on('orders.place', ({ rawBody }) => bodies.push(rawBody))
      const sent = signed('orders.place', orderText({ name: 'Zoë 🛒' }))
      expect(await sendChunked(url, sent, 100)).toBe(200)
      expect(bodies.map((body) => Buffer.from(body).equals(sent.body))).toEqual([true])
    })
  })

  it.each([
    undefined,
    'application/vnd.api+json',
    'text/plain; charset=latin1',
    'application/octet-stream',
    'nonsense',
  ])('does not depend on the content type: %s', async (type) => {
    const { receiver, url } = await serve()
    receiver.on('orders.place', () => {})
    const sent = signed('orders.place', orderText({ name: 'Zoë 🛒' }))
    const answer = await send(url, withHeaders(sent, { 'content-type': type }))
    expect([answer.status, answer.text]).toEqual([200, '{"outcome":"handled"}'])
  })

  it('finds the headers in whatever case their names are', async () => {
    const { receiver, url } = await serve()
    receiver.on('orders.place', () => {})
    const { headers, body } = signed('orders.place', orderText())
    const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))
    expect((await send(url, { headers: upper, body })).status).toBe(200)
  })

  it('refuses a compressed body, whether its signature covers the plain bytes or the compressed ones', async () => {
    const scene = await serve()
    let handled = 0
    scene.receiver.on('orders.place', () => {
      handled += 1
    })
    const plain = signed('orders.place', orderText())
    const compressed = signed('orders.place', gzipSync(plain.body))
    for (const { headers } of [plain, compressed]) {
      const sent = withHeaders({ headers, body: compressed.body }, { 'content-encoding': 'gzip' })
      const answer = await expectSameAnswer(scene, sent)
      expect([answer.status, answer.body.error.code]).toEqual([415, 'ENCODING_UNSUPPORTED'])
    }
    expect(handled).toBe(0)
  })

  it('takes a body of exactly `maxBodyBytes`, and refuses one of a byte more, with a length and without', async () => {
    const sent = signed('orders.place', orderText())
    const scene = await serve({ maxBodyBytes: sent.body.length })
    let handled = 0
    scene.receiver.on('orders.place', () => {
      handled += 1
    })
    const longer = signed('orders.place', `${orderText()} `)
    expect((await send(scene.url, sent)).status).toBe(200)
    expect(await sendChunked(scene.url, sent)).toBe(200)
    expect(handled).toBe(2)
    expect((await expectSameAnswer(scene, longer)).body.error.code).toBe('BODY_TOO_LARGE')
    expect(await sendChunked(scene.url, longer)).toBe(413)
    expect(handled).toBe(2)
  })
}

/** Sends a body with `Transfer-Encoding: chunked`; resolves to the status of the answer. */
function sendChunked(url: string, { headers, body }: Sent, chunkBytes = body.length): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode))
    })
    request.once('error', reject)
    request.flushHeaders()
    for (let at = 0; at < body.length; at += chunkBytes) request.write(body.subarray(at, at + chunkBytes))
    request.end()
  })
}
