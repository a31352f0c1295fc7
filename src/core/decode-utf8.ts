import { nodeText } from './platform.ts'

/** Fatal, and a byte order mark stays: JSON does not begin with one. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of UTF-8 bytes, or `undefined` if they are not UTF-8. */
export const decodeUtf8: (bytes: Uint8Array) => string | undefined = nodeText?.transcode
  ? nodeDecode(nodeText)
  : webDecode

/** Node up to 22 decodes text with a single non-ASCII character 10 to 25 times slower than by way of UTF-16. */
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
