import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { SECRET } from '../signed.ts'

/** A good handler without a library: it verifies the bytes, in constant time. */
export function judge(body: Buffer, signature: unknown): { status: number; answer: { ok: boolean } } {
  const expected = createHmac('sha256', SECRET).update(body).digest()
  const received = Buffer.from(String(signature), 'base64')
  if (received.length !== expected.length || !timingSafeEqual(received, expected)) {
    return { status: 401, answer: { ok: false } }
  }
  const { data } = JSON.parse(body.toString())
  return { status: 200, answer: { ok: data.type === 'orders' } }
}

/** Reads the body by events, without a limit: `for await` is slower, and the others are compared with this. */
export function bytesOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', reject)
  })
}
