/**
 * Copies bytes into a buffer that holds nothing else; a `Buffer` stays one. Node's small buffers are views of a pool
 * with the bytes of other requests, which `buffer` and `structuredClone` would give away.
 */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  // Not `bytes.slice()`: that of a Buffer gives a view.
  return Uint8Array.prototype.slice.call(bytes)
}
