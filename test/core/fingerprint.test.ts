import { describe, expect, it } from 'vitest'
import { bytes, idOf } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'
import { itUnless } from '../unless.ts'

const modules = await inBothRuntimes(() => import('../../src/core/platform.ts'))

describe.each(modules)('a fingerprint on %s', (runtime, { platform: { fingerprint } }) => {
  it('is the SHA-256 of text and bytes, in hex', async () => {
    const id = await fingerprint(() => ['orders.place', '\n', bytes('{"grüße":"👍"}')])
    expect(id()).toBe(idOf('orders.place', '{"grüße":"👍"}'))
    expect((await fingerprint(() => []))()).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })

  it('is computed once, however often it is read', async () => {
    let made = 0
    const id = await fingerprint(() => {
      made += 1
      return ['orders.place']
    })
    expect(id()).toBe(id())
    expect(made).toBe(1)
  })

  itUnless(runtime === 'node' ? undefined : 'WebCrypto hashes in any case')(
    'is not computed before it is read',
    async () => {
      await fingerprint(() => {
        throw new Error('made')
      })
    },
  )
})
