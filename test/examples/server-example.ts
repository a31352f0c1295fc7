import { expect, it } from 'vitest'
import { listFindings, probeEndpoint } from '../cli/doctor/probe-endpoint.ts'
import { EXAMPLE_SECRET, runScript, startServer } from './child.ts'
import { hangUpOn } from './hang-ups.ts'
import type { Shop } from './shop.ts'

export const HANDLED = '200 {"outcome":"handled"}'
export const REFUSED = /^401 .*"SIGNATURE_MISMATCH"/m
/** What the handler of every example prints of the order that its `deliver` script sends. */
export const PRINTED = 'john@example.com placed order 1234'

interface ServerOptions {
  /** Where the receiver is, for `hooklayer doctor`; `false` where it is not served over HTTP/1.1. Default: `/webhooks`. */
  readonly probed?: string | false
  /** Builds it before it is started. Default: there is nothing to build. */
  readonly build?: (folder: string) => Promise<unknown>
  /** The exit code, or the signal that ends it. Default: 0. */
  readonly exitCode?: number | string
  /** Sends what senders leave half done. Default: over HTTP/1.1. */
  readonly hangUp?: (port: number) => Promise<void>
}

/**
 * What every example that is a server does: it starts, takes an order, refuses a forged one, survives senders that hang
 * up, passes the probes of `hooklayer doctor`, and ends on SIGTERM.
 */
export function testServerExample(shop: Shop, example: string, options: ServerOptions = {}): void {
  const { build, probed = '/webhooks', exitCode = 0, hangUp = hangUpOn } = options
  it(`${example} receives an order, refuses a forged one, survives hang-ups, and ends on SIGTERM`, async () => {
    const folder = shop.folderOf(example)
    await build?.(folder)
    const server = await startServer(folder)
    try {
      expect(await runScript(folder, 'deliver', server)).toBe(HANDLED)
      expect(await runScript(folder, 'deliver', { ...server, args: ['a-guess'] })).toMatch(REFUSED)
      await hangUp(server.port)
      expect(await runScript(folder, 'deliver', server)).toBe(HANDLED)
      if (probed) expect(await findWrong(`http://127.0.0.1:${server.port}${probed}`)).toEqual([])
      server.process.kill('SIGTERM')
      expect(await server.ended).toBe(exitCode)
      expect(server.output()).toContain(PRINTED)
    } finally {
      server.process.kill('SIGKILL')
    }
  })
}

async function findWrong(url: string): Promise<string[]> {
  return listFindings(await probeEndpoint(url, { secret: EXAMPLE_SECRET })).wrong
}
