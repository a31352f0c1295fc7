import { ManagementError } from './errors.ts'

/** Most answers fit: a list of 25 webhooks has some 20 KiB. */
const FIRST_BYTES = 65_536

/**
 * Reads the body of an answer as text. It counts what was unpacked, and it copies the chunks into one buffer: kept as
 * they are, millions of chunks of a byte would take a hundred times their size.
 *
 * @throws ManagementError `RESPONSE_TOO_LARGE` above `maxBytes`. The connection is then closed.
 */
export async function readText(response: Response, maxBytes: number): Promise<string> {
  let bytes = new Uint8Array(Math.min(FIRST_BYTES, maxBytes))
  let length = 0
  for await (const chunk of response.body ?? []) {
    const end = length + chunk.byteLength
    if (end > maxBytes) throw new ManagementError('RESPONSE_TOO_LARGE', { status: response.status })
    if (end > bytes.byteLength) bytes = enlarge(bytes, Math.min(maxBytes, Math.max(end, 2 * bytes.byteLength)))
    bytes.set(chunk, length)
    length = end
  }
  return new TextDecoder().decode(bytes.subarray(0, length))
}

function enlarge(bytes: Uint8Array, byteLength: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(byteLength)
  larger.set(bytes)
  return larger
}
