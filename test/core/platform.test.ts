import { afterEach, describe, expect, it, vi } from 'vitest'
import { inBothRuntimes } from '../runtimes.ts'

const platforms = new Map(await inBothRuntimes(() => import('../../src/core/platform.ts')))

describe('the platform', () => {
  afterEach(() => vi.restoreAllMocks())

  it('hands out the built-in modules of Node', () => {
    expect(platforms.get('node')?.nodeCrypto).toHaveProperty('createHmac')
    expect(platforms.get('node')?.nodeText).toHaveProperty('transcode')
  })

  it('has none of them where the runtime hands out no built-in modules', () => {
    expect(platforms.get('web')?.nodeCrypto).toBeUndefined()
    expect(platforms.get('web')?.nodeText).toBeUndefined()
  })

  it('has none of them where the runtime has a stand-in that throws, as Next’s edge does', async () => {
    vi.resetModules()
    vi.spyOn(process, 'getBuiltinModule').mockImplementation(() => {
      throw new Error('A Node.js API is used (process.getBuiltinModule) which is not supported in the Edge Runtime.')
    })
    const platform = await import('../../src/core/platform.ts')
    expect([platform.nodeCrypto, platform.nodeText]).toEqual([undefined, undefined])
  })

  it('shares timers between requests on Node, and not where that is forbidden', async () => {
    expect(platforms.get('node')?.sharesTimers).toBe(true)
    expect(platforms.get('web')?.sharesTimers).toBe(false)
    vi.resetModules()
    vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' })
    const platform = await import('../../src/core/platform.ts')
    vi.unstubAllGlobals()
    expect(platform.sharesTimers).toBe(false)
  })
})
