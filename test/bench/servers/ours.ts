import type { Receiver } from '../../../src/index.ts'
import { built } from '../built.ts'
import { SECRET, TOPIC } from '../signed.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

/** Its handler does not read the order, like the hand-written one and octokit's: linking is measured separately. */
export async function receiver(): Promise<Receiver> {
  const { createReceiver } = await built('index')
  return createReceiver({ secrets: { [TOPIC]: SECRET }, logger }).on(TOPIC, () => {})
}
