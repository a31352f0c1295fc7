/**
 * The body of a probe: a request that finds out whether a receiver has a secret. It is signed like a delivery, and is
 * answered `ignored` after the signature was verified. No handler runs, and nothing is stored or counted.
 */
export const PROBE = '{"hooklayer":"probe"}'

const BYTES = new TextEncoder().encode(PROBE)

/** Whether a body is that of a probe. It is no JSON:API document, so no delivery has it. */
export function isProbe(body: Uint8Array): boolean {
  return body.length === BYTES.length && BYTES.every((byte, i) => body[i] === byte)
}
