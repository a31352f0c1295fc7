import { BoundedReadings } from './bounded-readings.ts'
import type { NodeCrypto, NodeText } from './runtime.ts'
import type { Platform } from './web-platform.ts'

type Hashes = Pick<Platform, 'toHmacKey' | 'hmac' | 'fingerprint'>
type Decoder = Pick<Platform, 'decodeUtf8'>
type Sharing = Pick<Platform, 'gather' | 'createReadings'>

/** Computes signatures and fingerprints without a promise. */
export function nodeHashes(crypto: NodeCrypto): Hashes {
  return {
    toHmacKey: (secret) => crypto.createSecretKey(secret),
    hmac: (key, data) => crypto.createHmac('sha256', key).update(data).digest('base64'),
    fingerprint(material) {
      let hex: string | undefined
      return () => {
        hex ??= material()
          .reduce((hash, part) => hash.update(part), crypto.createHash('sha256'))
          .digest('hex')
        return hex
      }
    },
  }
}

/**
 * Up to Node 22, one non-ASCII character makes the usual decoding 10 to 25 times slower than transcoding to UTF-16
 * first.
 */
export function nodeDecoder({ Buffer, isAscii, isUtf8, transcode }: NodeText): Decoder {
  return {
    decodeUtf8(bytes) {
      if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).latin1Slice()
      return isUtf8(bytes) ? transcode(bytes, 'utf8', 'utf16le').ucs2Slice() : undefined
    },
  }
}

/**
 * For platforms on which requests may share timers. A timer for each delivery would take a quarter of the time of a
 * small delivery over HTTP. Most work ends within a few milliseconds, so timers are started together,
 * {@link GATHER_MS} later.
 */
export const SHARING: Sharing = {
  gather(wait, ms) {
    if (ms <= GATHER_MS) wait.start()
    else if (gathered.push(wait) === 1) setTimeout(startGathered, GATHER_MS)
  },
  createReadings: (limits) => new BoundedReadings(limits),
}

const GATHER_MS = 25
let gathered: Parameters<Platform['gather']>[0][] = []

function startGathered(): void {
  const waits = gathered
  gathered = []
  for (const wait of waits) wait.start()
}
