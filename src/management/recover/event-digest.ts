import { eventIdOf, isWebhookError } from '../../index.ts'

/** 64 bits of an event and a URL: among a million events, two are the same with a chance of one in 37 millions. */
export type EventDigest = bigint

/**
 * What an event at an endpoint is remembered by: another endpoint of the organization may have had it, or not. A number, not a part of
 * the id's text, which would hold on to the whole.
 */
export function createDigest(eventId: string, callbackUrl: string): EventDigest {
  return readDigest(eventId.slice(0, 16)) ^ fnv1a(callbackUrl)
}

export function readDigest(hex: string): EventDigest {
  return BigInt(`0x${hex}`)
}

export function writeDigest(digest: EventDigest): string {
  return digest.toString(16).padStart(16, '0')
}

/** FNV-1a: there are few URLs, and nobody gains by making two of them collide. */
function fnv1a(text: string): bigint {
  const bytes = new TextEncoder().encode(text)
  return bytes.reduce((hash, byte) => BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n), 0xcbf29ce484222325n)
}

/** The id of what a call sent; `undefined` if that is no document. */
export async function payloadEventId(topic: string, payload: unknown): Promise<string | undefined> {
  try {
    return await eventIdOf(topic, payload)
  } catch (error) {
    if (isWebhookError(error)) return undefined
    throw error
  }
}
