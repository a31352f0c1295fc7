import { createHash, randomInt } from 'node:crypto'
import type { StoredDelivery } from '../../src/drivers.ts'
import { orderOfSize } from './payloads.ts'
import { signedHeaders, TOPIC } from './signed.ts'

/** A signed delivery, as a framework hands it to the receiver. */
export interface SignedRequest {
  readonly method: 'POST'
  readonly headers: Record<string, string>
  readonly body: Buffer
}

/**
 * Makes bodies of one size, each of a different order: there are no duplicates, and no two are about the same resource.
 */
export function createBodies(kilobytes: number): () => Buffer {
  const template = orderOfSize(kilobytes * 1000, 'ascii')
  const { id } = JSON.parse(template.toString()).data
  const places = placesOf(id, template)
  const begin = lettersOf(randomInt(26 ** 5))
  let count = 0
  return () => {
    const body = Buffer.from(template)
    const name = begin + lettersOf(count++)
    for (const place of places) body.write(name, place)
    return body
  }
}

export function signed(body: Buffer): SignedRequest {
  return { method: 'POST', headers: signedHeaders(body), body }
}

/** A delivery as the receiver passes it to an inbox. */
export function stored(body: Buffer): StoredDelivery {
  const id = createHash('sha256').update(TOPIC).update(body).digest('hex')
  return { id, topic: TOPIC, body, receivedAt: new Date(), group: undefined }
}

function placesOf(id: string, template: Buffer): number[] {
  const places: number[] = []
  for (let at = template.indexOf(id); at >= 0; at = template.indexOf(id, at + 1)) places.push(at)
  return places
}

/** Always five letters. */
function lettersOf(number: number): string {
  const digits = Array.from({ length: 5 }, (_, place) => Math.floor(number / 26 ** place) % 26)
  return String.fromCharCode(...digits.map((digit) => 97 + digit))
}
