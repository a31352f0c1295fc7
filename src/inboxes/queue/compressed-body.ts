import { brotliCompressSync, brotliDecompressSync, constants, crc32 } from 'node:zlib'

const CHECKSUM_BYTES = 4
/** Brotli at its fastest takes a third of the time of gzip at its fastest, for an order of 200 KB. */
const FASTEST = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MIN_QUALITY } }

/**
 * A body in the form that engines store: a checksum, which detects flipped bits, followed by the body in Brotli. This
 * shrinks an order to a sixth of its size or less. It takes 0.04 ms for 20 KB, which is less than writing the remaining
 * bytes would take.
 */
export function compressBody(body: Uint8Array): Buffer {
  const compressed = brotliCompressSync(body, FASTEST)
  const checksum = Buffer.alloc(CHECKSUM_BYTES)
  checksum.writeUInt32BE(crc32(compressed))
  return Buffer.concat([checksum, compressed])
}

/** The original body; `undefined` if the stored bytes are damaged. */
export function decompressBody(packed: Buffer): Buffer | undefined {
  const compressed = packed.subarray(CHECKSUM_BYTES)
  if (packed.length <= CHECKSUM_BYTES || packed.readUInt32BE() !== crc32(compressed)) return undefined
  return brotliDecompressSync(compressed)
}
