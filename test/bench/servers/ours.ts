import type { Receiver } from '../../../src/index.ts'
import { built } from '../built.ts'
import { SECRET, TOPIC } from '../signed.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

/** Its handler leaves the order alone, as the hand-written one and octokit's do: linking is measured on its own. */
export async function receiver(): Promise<Receiver> {
  const { createReceiver } = await built('index')
  return createReceiver({ secrets: { [TOPIC]: SECRET }, logger }).on(TOPIC, () => {})
}
