import fc from 'fast-check'
import { sign } from 'hooklayer'
import { describe, expect, it } from 'vitest'
import { bytes, SECRET, signed } from '../../deliveries.ts'
import { inBothRuntimes } from '../../runtimes.ts'

/** Made by `openssl dgst -sha256 -hmac "$secret" -binary | base64`. */
const VECTORS = [
  ['an empty body', '', SECRET, 'bvnOMLfps6emby6Yt2e3bQyT+oS1ZcMtR7RQUqcVJjE='],
  ['ASCII', 'Hello, webhook!', SECRET, '+cDOqMAKwhV+GzevPv/SU29WFXnqbq/LJVwxXidfjgY='],
  ['an emoji and an umlaut', '👍 grüße', SECRET, 'kz4leSd6DIr5PcdDexOf872Nojuh7pX53kVCf1Bc2uo='],
  [
    'a number as Commerce Layer writes it',
    '{"data":{"attributes":{"total_amount_float":20.0}}}',
    SECRET,
    'kvyEZfZVzG32M371P4UZNSl7H0mZA4ZBzl59Uexlkhg=',
  ],
  [
    'a body with a secret that is not ASCII',
    'orders.place',
    'schlüssel-🔑',
    '4Sgjk5fdPQb8emBchOe+GTnhfx6BIk+JxFhE981EBoU=',
  ],
] as const

describe.each(await inBothRuntimes(() => import('../../../src/core/verify/signature.ts')))(
  'a signature on %s',
  (_, module) => {
    const { isSameSignature, sign, computeSignature } = module

    it.each(VECTORS)('of %s is the one that openssl makes', async (_, body, secret, expected) => {
      expect(await computeSignature(bytes(body), secret)).toBe(expected)
      expect(await sign(bytes(body), secret)).toBe(expected)
      expect(await sign(body, secret)).toBe(expected)
    })

    it('covers the bytes of a view, not the buffer behind it', async () => {
      const within = bytes('before|Hello, webhook!|after').subarray(7, 22)
      expect(await sign(within, SECRET)).toBe(VECTORS[1][3])
    })

    it('stays correct when there are more secrets than cached keys', async () => {
      for (let i = 0; i < 1002; i++) await sign('', `secret ${i}`)
      expect(await sign('', 'secret 0')).toBe(signed('', 'secret 0'))
      expect(await sign('', 'secret 1001')).toBe(signed('', 'secret 1001'))
    })

    it('of any body with any secret is the one that node:crypto makes', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array(), fc.string({ unit: 'binary', minLength: 1 }), async (body, secret) => {
          expect(await sign(body, secret)).toBe(signed(body, secret))
        }),
      )
    })

    it('is compared as text, character by character and by its length', () => {
      const signature = VECTORS[0][3]
      expect(isSameSignature(signature, signature)).toBe(true)
      for (let i = 0; i < signature.length; i++) {
        expect(isSameSignature(`${signature.slice(0, i)}!${signature.slice(i + 1)}`, signature)).toBe(false)
        expect(isSameSignature(signature.slice(0, i), signature)).toBe(false)
      }
      expect(isSameSignature(`${signature} `, signature)).toBe(false)
      expect(isSameSignature(signature + signature, signature)).toBe(false)
      expect(isSameSignature('', signature)).toBe(false)
    })
  },
)

it.each([undefined, null, 7, [], new Uint8Array(3)])(
  'a body is not signed with a secret that is %j',
  async (secret) => {
    await expect(sign('{}', secret as never)).rejects.toThrow(new TypeError('The secret given to `sign` is not text.'))
  },
)
