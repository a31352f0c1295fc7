import { nodeText } from './platform.ts'

/** Refuses malformed UTF-8, and keeps a byte order mark: JSON does not begin with one. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes UTF-8 bytes; `undefined` if they are not UTF-8. */
export const decodeUtf8: (bytes: Uint8Array) => string | undefined = nodeText?.transcode
  ? nodeDecode(nodeText)
  : webDecode

/**
 * Up to Node 22, one non-ASCII character makes the usual decoding 10 to 25 times slower than transcoding to UTF-16
 * first.
 */
function nodeDecode({ Buffer, isAscii, isUtf8, transcode }: NonNullable<typeof nodeText>) {
  return (bytes: Uint8Array): string | undefined => {
    if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).latin1Slice()
    return isUtf8(bytes) ? transcode(bytes, 'utf8', 'utf16le').ucs2Slice() : undefined
  }
}

function webDecode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
