import type { Logger } from '../../src/index.ts'

/** A logger that writes nothing: what is measured must not wait for a terminal. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
