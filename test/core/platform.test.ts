import { describe, expect, it } from 'vitest'
import { inBothRuntimes } from '../runtimes.ts'

const platforms = new Map(await inBothRuntimes(() => import('../../src/core/platform.ts')))

describe('the platform', () => {
  it('hands out the built-in modules of Node', () => {
    expect(platforms.get('node')?.nodeCrypto).toHaveProperty('createHmac')
    expect(platforms.get('node')?.nodeText).toHaveProperty('transcode')
  })

  it('has none of them where the runtime hands out no built-in modules', () => {
    expect(platforms.get('web')?.nodeCrypto).toBeUndefined()
    expect(platforms.get('web')?.nodeText).toBeUndefined()
  })
})
