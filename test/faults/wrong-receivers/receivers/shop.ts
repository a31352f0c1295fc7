/** What all hand-written receivers do right. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Request } from 'express'

export const SECRET = process.env.SECRET ?? ''

export interface Order {
  readonly id: string
  readonly updatedAt: string
  /** The same for the same event. */
  readonly key: string
}

/** Whether these bytes were signed with the webhook's secret. */
export function isGenuine(request: Request, bytes: Buffer = request.body): boolean {
  const expected = createHmac('sha256', SECRET).update(bytes).digest()
  const given = Buffer.from(request.header('x-commercelayer-signature') ?? '', 'base64')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** `undefined` if the body is not a document. */
export function parseOrder(request: Request, bytes: Buffer = request.body): Order | undefined {
  try {
    const { id, attributes } = JSON.parse(String(bytes)).data
    const updatedAt: string = attributes.updated_at
    return { id, updatedAt, key: `${request.header('x-commercelayer-topic')}/${id}/${updatedAt}` }
  } catch {
    return undefined
  }
}

/** Listens on a free port, sends it to the parent process, and ends together with it. */
export function serve(listener: RequestListener): void {
  process.once('disconnect', () => process.exit())
  const server = createServer(listener)
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
}
