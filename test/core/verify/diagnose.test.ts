import { beforeEach, describe, expect, it, vi } from 'vitest'
import { bytes, SECRET, signed } from '../../deliveries.ts'
import { inBothRuntimes } from '../../runtimes.ts'
import { describeUnless } from '../../unless.ts'

const BODY = '{"data":{"id":"NrlYhpzLKA","type":"orders","attributes":{"total_amount_float":20.0,"url":"a\\u0026b"}}}'
const REWRITTEN = BODY.replace('20.0', '20').replace('\\u0026', '&')
const REASONS = {
  empty: /empty/,
  large: /1 MB/,
  hex: /hex/,
  spaced: /whitespace/,
  other: /another topic/,
  rewritten: /serialized again/,
  base64: /still base64/,
}
const others = ['other 1', 'other 2', 'other 3', 'other 4', 'other 5']
const toHex = (signature: string) => Buffer.from(signature, 'base64').toString('hex')
const toBase64 = (body: string) => Buffer.from(body).toString('base64')

describe.each(await inBothRuntimes(() => import('../../../src/core/verify/diagnose.ts')))(
  'a mismatch on %s',
  (runtime, module) => {
    const { diagnose } = module
    const explain = (signature: string, body: string, secrets: readonly string[] = [SECRET]) =>
      diagnose(signature, bytes(body), secrets, others)

    it.each([
      ['an empty body', 'empty', signed(BODY), ''],
      ['a body over 1 MB', 'large', signed('x'), 'x'.repeat(1024 * 1024 + 1)],
      ['hex', 'hex', toHex(signed(BODY)), BODY],
      ['hex in capitals', 'hex', toHex(signed(BODY)).toUpperCase(), BODY],
      ['the secret of another topic', 'other', signed(BODY, 'other 4'), BODY],
      ['a body that was parsed and serialized again', 'rewritten', signed(BODY), REWRITTEN],
      ['a body that lost its decimal points', 'rewritten', signed(BODY), BODY.replace('20.0', '20')],
      ['a body that lost its escapes', 'rewritten', signed(BODY), BODY.replace('\\u0026', '&')],
      ['a body that is still base64', 'base64', signed(BODY), toBase64(BODY)],
      [
        'a body that is still base64, in lines',
        'base64',
        signed(BODY),
        `${toBase64(BODY).replace(/.{40}/g, '$&\r\n')}\n`,
      ],
    ] as const)('is explained by %s', async (_, reason, signature, body) => {
      const hint = await explain(signature, body)
      expect(hint).toMatch(REASONS[reason])
      for (const [other, words] of Object.entries(REASONS)) if (other !== reason) expect(hint).not.toMatch(words)
    })

    it('is explained by whitespace around a secret that was looked up', async () => {
      for (const secret of [`${SECRET}\n`, ` ${SECRET}`, `\t${SECRET}\r\n`]) {
        expect(await explain(signed(BODY), BODY, [secret])).toMatch(REASONS.spaced)
        expect(await explain(signed(BODY), BODY, ['next', secret])).toMatch(REASONS.spaced)
      }
    })

    it('has one and the same hint when no explanation fits', async () => {
      const unexplained = [
        await explain(signed(BODY, 'forged'), BODY),
        await explain(signed(BODY, ''), BODY, [' ']),
        await explain(toHex(signed(BODY, 'forged')), BODY),
        await explain(toHex(signed(BODY)).slice(2), BODY),
        await explain(signed(BODY, 'forged'), REWRITTEN),
        await explain(signed(BODY, 'forged'), toBase64(BODY)),
        await explain(signed(BODY, 'forged'), 'abcde'),
        await explain('', BODY),
      ]
      for (const hint of unexplained) for (const words of Object.values(REASONS)) expect(hint).not.toMatch(words)
      expect(new Set(unexplained).size).toBe(1)
    })

    it('is explained even for a body that is not UTF-8', async () => {
      const body = Uint8Array.of(0xff, 0xfe)
      expect(await diagnose(signed(body, 'other 1'), body, [SECRET], others)).toMatch(REASONS.other)
      expect(await diagnose(signed(body, 'forged'), body, [SECRET], others)).not.toMatch(REASONS.other)
    })

    it('is explained for a body of exactly 1 MB', async () => {
      const body = 'x'.repeat(1024 * 1024)
      expect(await explain(signed(body, 'other 1'), body)).toMatch(REASONS.other)
    })

    it('is explained with at most two secrets of the topic and four of other topics', async () => {
      expect(await explain(signed(BODY), REWRITTEN, ['a', SECRET])).toMatch(REASONS.rewritten)
      expect(await explain(signed(BODY), REWRITTEN, ['a', 'b', SECRET])).not.toMatch(REASONS.rewritten)
      expect(await explain(signed(BODY, 'other 5'), BODY)).not.toMatch(REASONS.other)
    })

    it('is explained in linear time for a long run of whitespace', async () => {
      const start = performance.now()
      await explain(signed(BODY, 'forged'), `${' '.repeat(50_000)}!`)
      expect(performance.now() - start).toBeLessThan(500)
    })

    describeUnless(runtime === 'node' ? undefined : 'HMACs of WebCrypto cannot be counted')(
      'of a forged request',
      () => {
        const builtin = process.getBuiltinModule('node:crypto')
        const createHmac = vi.spyOn(builtin, 'createHmac')
        beforeEach(() => {
          createHmac.mockClear()
        })

        it.each([
          ['an empty body', '', 0],
          ['a body over 1 MB', REWRITTEN.padEnd(1024 * 1024 + 1), 0],
          ['a body that was serialized again, with all secrets', REWRITTEN, 8],
          ['a body that looks like base64', toBase64(BODY), 8],
          ['a body that looks like base64 and is not', 'abcde', 8],
          ['a body of text', 'Hello, webhook!', 4],
        ])('costs no more HMACs than documented for %s', async (_, body, most) => {
          await explain(signed('forged'), body, ['a', 'b', 'c', 'd'])
          expect(createHmac.mock.calls.length).toBeLessThanOrEqual(most)
        })
      },
    )
  },
)
