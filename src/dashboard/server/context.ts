import type { Jobs } from './jobs.ts'
import type { Live } from './live.ts'
import type { Mask } from './mask.ts'
import type { Settings } from './options.ts'
import type { Ask } from './problem.ts'

/** What the calls of one dashboard share. */
export interface Context {
  readonly settings: Settings
  readonly ask: Ask
  readonly mask: Mask
  readonly jobs: Jobs
  readonly live: Live
}
