import { afterEach, describe, expect, it, vi } from 'vitest'
import { platform as edge } from '../../src/core/web-platform.ts'
import { inBothRuntimes } from '../runtimes.ts'

const LIMITS = { maxUnverified: 1, maxUnverifiedBytes: 1 }
const platforms = new Map(await inBothRuntimes(async () => (await import('../../src/core/platform.ts')).platform))

/** Whether the platform signs without a promise, and lets requests share timers. */
function abilities(platform: typeof edge | undefined) {
  const key = platform?.toHmacKey(new TextEncoder().encode('0123456789abcdef'))
  let isStarted = false
  const start = () => {
    isStarted = true
  }
  platform?.gather({ start }, 1000)
  return {
    signsAtOnce: typeof platform?.hmac(key ?? {}, new Uint8Array()) === 'string',
    sharesTimers: !isStarted,
    boundsReadings: platform?.createReadings(LIMITS).constructor.name === 'BoundedReadings',
  }
}

const NODE = { signsAtOnce: true, sharesTimers: true, boundsReadings: true }
const WEB = { signsAtOnce: false, sharesTimers: false, boundsReadings: false }

describe('the platform', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })

  it('does on Node what its built-in modules can', () => {
    expect(abilities(platforms.get('node'))).toEqual(NODE)
  })

  it('needs only WebCrypto where the runtime has no `getBuiltinModule`', () => {
    expect(abilities(platforms.get('web'))).toEqual(WEB)
  })

  it('needs only WebCrypto where `getBuiltinModule` is a placeholder that throws, as on Next’s edge', async () => {
    vi.resetModules()
    vi.spyOn(process, 'getBuiltinModule').mockImplementation(() => {
      throw new Error('A Node.js API is used (process.getBuiltinModule) which is not supported in the Edge Runtime.')
    })
    const { platform } = await import('../../src/core/platform.ts')
    expect(abilities(platform)).toEqual(WEB)
  })

  it('lets no requests share timers on Workers, which forbid it, also where they have Node’s modules', async () => {
    vi.resetModules()
    vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' })
    const { platform } = await import('../../src/core/platform.ts')
    expect(abilities(platform)).toEqual({ ...NODE, sharesTimers: false, boundsReadings: false })
    expect(platform.endsWithAnswer).toBe(true)
  })

  it('is the same in a bundle for the edge as where it is found out at run time', () => {
    expect(abilities(edge)).toEqual(abilities(platforms.get('web')))
    expect(Object.keys(edge)).toEqual(Object.keys(platforms.get('web') ?? {}))
    expect(edge.endsWithAnswer).toBe(platforms.get('web')?.endsWithAnswer)
  })
})
