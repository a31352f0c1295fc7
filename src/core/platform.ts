/**
 * The platform, found out at run time. In bundles for Workers and for Next's edge `web-platform.ts` takes the place of
 * this module, see `PLATFORM` in `entries.ts`: they do not hold what only Node needs.
 */
import { nodeDecoder, nodeHashes, SHARING } from './node-platform.ts'
import { endsWithAnswer, nodeCrypto, nodeText, sharesTimers } from './runtime.ts'
import { readShort } from './short-body.ts'
import { type Platform, platform as web } from './web-platform.ts'

export const platform: Platform = {
  ...web,
  ...(nodeCrypto && { ...nodeHashes(nodeCrypto), readShort }),
  ...(nodeText?.transcode && nodeDecoder(nodeText)),
  ...(sharesTimers && SHARING),
  endsWithAnswer,
}
