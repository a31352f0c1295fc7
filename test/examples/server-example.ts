import { expect, it } from 'vitest'
import { runScript, startServer } from './child.ts'
import { hangUpOn } from './hang-ups.ts'
import type { Shop } from './shop.ts'

export const HANDLED = '200 {"outcome":"handled"}'
export const REFUSED = /^401 .*"SIGNATURE_MISMATCH"/m
/** What the handler of every example prints of the order that its `deliver` script sends. */
export const PRINTED = 'john@example.com placed order 1234'

interface ServerOptions {
  /** Builds it before it is started. Default: there is nothing to build. */
  readonly build?: (folder: string) => Promise<unknown>
  /** The exit code, or the signal that ends it. Default: 0. */
  readonly exitCode?: number | string
  /** Sends what senders leave half done. Default: over HTTP/1.1. */
  readonly hangUp?: (port: number) => Promise<void>
}

/**
 * What every example that is a server does: it starts, takes an order, refuses a forged one, survives senders that hang
 * up, and ends on SIGTERM.
 */
export function testServerExample(shop: Shop, example: string, options: ServerOptions = {}): void {
  const { build, exitCode = 0, hangUp = hangUpOn } = options
  it(`${example} receives an order, refuses a forged one, survives hang-ups, and ends on SIGTERM`, async () => {
    const folder = shop.folderOf(example)
    await build?.(folder)
    const server = await startServer(folder)
    try {
      expect(await runScript(folder, 'deliver', server)).toBe(HANDLED)
      expect(await runScript(folder, 'deliver', { ...server, args: ['a-guess'] })).toMatch(REFUSED)
      await hangUp(server.port)
      expect(await runScript(folder, 'deliver', server)).toBe(HANDLED)
      server.process.kill('SIGTERM')
      expect(await server.ended).toBe(exitCode)
      expect(server.output()).toContain(PRINTED)
    } finally {
      server.process.kill('SIGKILL')
    }
  })
}
