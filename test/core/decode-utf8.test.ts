import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'

const NOT_UTF8 = [
  ['a lone continuation byte', [0x80]],
  ['a character cut short', [0x7b, 0xe2, 0x82]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['half of a surrogate pair', [0xed, 0xa0, 0x80]],
  ['a code point beyond the last', [0xf4, 0x90, 0x80, 0x80]],
  ['Latin 1', [0x67, 0x72, 0xfc, 0xdf, 0x65]],
] as const

describe.each(await inBothRuntimes(() => import('../../src/core/platform.ts')))('decodeUtf8 on %s', (_, module) => {
  const { decodeUtf8 } = module.platform

  it.each(['', 'ASCII', 'grüße', '日本語', '👍🏽', '\0', 'a\u2028b'])(
    'decodes the text that was encoded: %j',
    (text) => {
      expect(decodeUtf8(bytes(text))).toBe(text)
    },
  )

  it.each(NOT_UTF8)('gives undefined for %s, and does not guess', (_, invalid) => {
    expect(decodeUtf8(Uint8Array.from(invalid))).toBeUndefined()
  })

  it('keeps a byte order mark, because JSON must not begin with one', () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d))).toBe('\uFEFF{}')
  })

  it('decodes the bytes of a view, not the buffer behind it', () => {
    expect(decodeUtf8(bytes('before|ASCII|after').subarray(7, 12))).toBe('ASCII')
    expect(decodeUtf8(bytes('before|grüße|after').subarray(7, 14))).toBe('grüße')
  })

  it('agrees with a strict TextDecoder for any bytes', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const reference = (body: Uint8Array): string | undefined => {
      try {
        return strict.decode(body)
      } catch {
        return undefined
      }
    }
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' }).map(bytes)), (body) => {
        expect(decodeUtf8(body)).toBe(reference(body))
      }),
    )
  })
})
