import type { Logger } from '../../src/index.ts'

/** What is measured writes no log. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }
