import { eventIdOf, isWebhookError } from '../../index.ts'

/**
 * 64 bits for an event and a URL. Among a million events, two have the same digest with a chance of 1 in 37 million.
 */
export type EventDigest = bigint

/**
 * Creates the digest of an event at a URL: another endpoint of the organization may have received the same event or
 * not. It is a number, because a part of the id's text would keep the whole text in memory.
 */
export function createDigest(eventId: string, callbackUrl: string): EventDigest {
  return parseDigest(eventId.slice(0, 16)) ^ fnv1a(callbackUrl)
}

export function parseDigest(hex: string): EventDigest {
  return BigInt(`0x${hex}`)
}

export function formatDigest(digest: EventDigest): string {
  return digest.toString(16).padStart(16, '0')
}

/** FNV-1a is good enough: there are few URLs, and nobody gains anything from a collision of two. */
function fnv1a(text: string): bigint {
  const bytes = new TextEncoder().encode(text)
  return bytes.reduce((hash, byte) => BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n), 0xcbf29ce484222325n)
}

/** Reads the event's id from the payload of a call; `undefined` if the payload is no JSON:API document. */
export async function readEventId(topic: string, payload: unknown): Promise<string | undefined> {
  try {
    return await eventIdOf(topic, payload)
  } catch (error) {
    if (isWebhookError(error)) return undefined
    throw error
  }
}
