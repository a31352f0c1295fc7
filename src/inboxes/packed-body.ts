import { gunzipSync, gzipSync } from 'node:zlib'

/**
 * A body as an engine keeps it. An order is a sixth of its size then, or less, and what that takes, 0.1 ms for 20 KB, is less than what
 * it would take to send the rest to a server. With gzip rather than a mere deflate, because its checksum knows a bit that has flipped.
 */
export function pack(body: Uint8Array): Buffer {
  return gzipSync(body, { level: 1 })
}

/** `undefined` if it is damaged. */
export function unpack(packed: Uint8Array): Buffer | undefined {
  try {
    return gunzipSync(packed)
  } catch {
    return undefined
  }
}
