import { afterEach, describe, expect, it, vi } from 'vitest'
import { inBothRuntimes } from '../runtimes.ts'

const platforms = new Map(await inBothRuntimes(() => import('../../src/core/platform.ts')))

describe('the platform', () => {
  afterEach(() => vi.restoreAllMocks())

  it('gives the built-in modules of Node', () => {
    expect(platforms.get('node')?.nodeCrypto).toHaveProperty('createHmac')
    expect(platforms.get('node')?.nodeText).toHaveProperty('transcode')
  })

  it('gives no modules where the runtime has no `getBuiltinModule`', () => {
    expect(platforms.get('web')?.nodeCrypto).toBeUndefined()
    expect(platforms.get('web')?.nodeText).toBeUndefined()
  })

  it('gives no modules where `getBuiltinModule` is a placeholder that throws, as on Next’s edge', async () => {
    vi.resetModules()
    vi.spyOn(process, 'getBuiltinModule').mockImplementation(() => {
      throw new Error('A Node.js API is used (process.getBuiltinModule) which is not supported in the Edge Runtime.')
    })
    const platform = await import('../../src/core/platform.ts')
    expect([platform.nodeCrypto, platform.nodeText]).toEqual([undefined, undefined])
  })

  it('lets requests share timers on Node, and not on Workers, which forbid it', async () => {
    expect(platforms.get('node')?.sharesTimers).toBe(true)
    expect(platforms.get('web')?.sharesTimers).toBe(false)
    vi.resetModules()
    vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' })
    const platform = await import('../../src/core/platform.ts')
    vi.unstubAllGlobals()
    expect(platform.sharesTimers).toBe(false)
  })
})
