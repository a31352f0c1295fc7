import { beforeEach, describe, expect, it, vi } from 'vitest'
import { computeSignature } from '../../../src/core/verify/signature.ts'
import { bytes, SECRET, signed } from '../../deliveries.ts'
import { inBothRuntimes } from '../../runtimes.ts'
import { describeUnless } from '../../unless.ts'

const BODY = '{"data":{"id":"NrlYhpzLKA","type":"orders","attributes":{"total_amount_float":20.0,"url":"a\\u0026b"}}}'
const REWRITTEN = BODY.replace('20.0', '20').replace('\\u0026', '&')
/** In strings there is whitespace, and a quote that is escaped. */
const SPACED = '{"a":"1, 2: \\" 3\\\\","b":[1,2]}'
const SPACED_BY_PYTHON = '{"a": "1, 2: \\" 3\\\\", "b": [1, 2]}'
const INTEGERS = '{"data":{"id":"NrlYhpzLKA","type":"orders","attributes":{"line 1":"Via Roma, 1","count":2}}}'
const FLOAT = '{"total_amount_float":20.0}'
const PRETTY = JSON.stringify(JSON.parse(BODY), null, 2)
const ACCENTS = '{"data":{"id":"NrlYhpzLKA","type":"orders","attributes":{"name":"Zoë 🛒 Łódź €"}}}'
const toLatin1 = (body: string) => Buffer.from(body).toString('latin1')
const REASONS = {
  empty: /empty/,
  large: /512 KB/,
  other: /another topic/,
  rewritten: /serialized again/,
  base64: /still base64/,
  spaced: /whitespace or a byte order mark added/,
  latin1: /decoded as Latin-1/,
}
const others = ['other 1', 'other 2', 'other 3', 'other 4', 'other 5']
const toBase64 = (body: string) => Buffer.from(body).toString('base64')

describe.each(await inBothRuntimes(() => import('../../../src/core/verify/diagnose.ts')))(
  'a mismatch on %s',
  (runtime, module) => {
    const { createDiagnosis } = module
    const examine = async (signature: string, body: Uint8Array, secrets: readonly string[] = [SECRET]) =>
      (await createDiagnosis()({ signature, body, secrets, otherSecrets: others })).hint
    const explain = (signature: string, body: string, secrets?: readonly string[]) =>
      examine(signature, bytes(body), secrets)

    it.each([
      ['an empty body', 'empty', signed(BODY), ''],
      ['a body over 512 KB', 'large', signed('x'), 'x'.repeat(512 * 1024 + 1)],
      ['the secret of another topic', 'other', signed(BODY, 'other 4'), BODY],
      ['a body that was parsed and serialized again', 'rewritten', signed(BODY), REWRITTEN],
      ['a body that lost its decimal points', 'rewritten', signed(BODY), BODY.replace('20.0', '20')],
      ['a body that lost its escapes', 'rewritten', signed(BODY), BODY.replace('\\u0026', '&')],
      ['a body with one newline more', 'spaced', signed(BODY), `${BODY}\n`],
      ['a body with one newline of Windows more', 'spaced', signed(BODY), `${BODY}\r\n`],
      ['a body with a byte order mark', 'spaced', signed(BODY), `\ufeff${BODY}`],
      ['a body with spaces after commas and colons', 'spaced', signed(SPACED), SPACED_BY_PYTHON],
      ['a body that was printed in lines', 'spaced', signed(INTEGERS), JSON.stringify(JSON.parse(INTEGERS), null, 2)],
      ['a body that was printed in lines by JavaScript', 'rewritten', signed(BODY), PRETTY],
      [
        'a body with whitespace that lost its decimal points',
        'rewritten',
        signed(FLOAT),
        `${FLOAT.replace('.0', '')}\n`,
      ],
      ['a body that was decoded as Latin-1', 'latin1', signed(ACCENTS), toLatin1(ACCENTS)],
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

    it('has one and the same hint when no explanation fits', async () => {
      const unexplained = [
        await explain(signed(BODY, 'forged'), BODY),
        await explain(signed(BODY, ''), BODY, [' ']),
        await explain(signed(BODY, 'forged'), REWRITTEN),
        await explain(signed(BODY, 'forged'), toBase64(BODY)),
        await explain(signed(BODY, 'forged'), 'abcde'),
        await explain(signed(BODY, 'forged'), `\ufeff${PRETTY}\n`),
        await explain(signed(BODY, 'forged'), toLatin1(ACCENTS)),
        await explain(signed(BODY, 'forged'), ACCENTS),
        await explain(signed(BODY, 'forged'), '{"name":"Zoë"}'),
        await explain('', BODY),
      ]
      for (const hint of unexplained) for (const words of Object.values(REASONS)) expect(hint).not.toMatch(words)
      expect(new Set(unexplained).size).toBe(1)
    })

    it('is explained even for a body that is not UTF-8', async () => {
      const body = Uint8Array.of(0xff, 0xfe)
      expect(await examine(signed(body, 'other 1'), body)).toMatch(REASONS.other)
      expect(await examine(signed(body, 'forged'), body)).not.toMatch(REASONS.other)
    })

    it('is explained for a body of exactly 512 KB', async () => {
      const body = 'x'.repeat(512 * 1024)
      expect(await explain(signed(body, 'other 1'), body)).toMatch(REASONS.other)
    })

    it('is explained with at most two secrets of the topic and four of other topics', async () => {
      expect(await explain(signed(BODY), REWRITTEN, ['a', SECRET])).toMatch(REASONS.rewritten)
      expect(await explain(signed(BODY), REWRITTEN, ['a', 'b', SECRET])).not.toMatch(REASONS.rewritten)
      expect(await explain(signed(BODY, 'other 5'), BODY)).not.toMatch(REASONS.other)
    })

    it('is examined once a second, whoever asks', async () => {
      const now = vi.spyOn(performance, 'now').mockReturnValue(1000)
      const diagnose = createDiagnosis()
      const ask = async () =>
        (await diagnose({ signature: signed(BODY), body: bytes(REWRITTEN), secrets: [SECRET], otherSecrets: [] })).hint
      expect(await ask()).toMatch(REASONS.rewritten)
      expect(await ask()).toMatch(/within the last second/)
      now.mockReturnValue(1999)
      expect(await ask()).toMatch(/within the last second/)
      now.mockReturnValue(2000)
      expect(await ask()).toMatch(REASONS.rewritten)
      now.mockRestore()
    })

    it.each([
      ['whitespace before one mark', `${' '.repeat(512 * 1024 - 1)}!`],
      ['marks that would be escaped', '<'.repeat(512 * 1024)],
      ['what looks like base64', 'a'.repeat(512 * 1024)],
      ['what looks like base64 in short lines', 'a '.repeat(256 * 1024)],
      ['whole numbers in fields of floats', '"a_float":1,&'.repeat(40_000)],
      ['fields of floats without numbers', '"a_float":'.repeat(50_000)],
      ['one long number', `"a_float":${'1'.repeat(512 * 1024 - 100)}`],
      ['one long number after another', `"a_float":${'1'.repeat(1000)}x`.repeat(500)],
      ['spaces and quotes', '" '.repeat(256 * 1024)],
      ['backslashes in a string', `"${'\\'.repeat(512 * 1024 - 1)}`],
      ['what could be Latin-1', 'é'.repeat(256 * 1024)],
      ['UTF-8 that was decoded as Latin-1', toLatin1('é'.repeat(128 * 1024))],
      ['names that are nearly floats', '"a_a_a_a_a_a_a_a_a_float"'.repeat(20_000)],
    ])('does not cost hundreds of HMACs for 512 KB of %s', async (_, text) => {
      const body = bytes(text)
      await explain(signed(BODY, 'forged'), 'warm-up')
      const measure = async (work: () => unknown) => {
        const start = performance.now()
        await work()
        return performance.now() - start
      }
      const hmacs = await measure(async () => {
        for (let i = 0; i < 20; i += 1) await computeSignature(body, SECRET)
      })
      let least = Number.POSITIVE_INFINITY
      // On a busy machine some are interrupted. One that is not is enough: none is fast if it does too much.
      for (let i = 0; i < 20 && least >= 5 * hmacs; i += 1) {
        least = Math.min(least, await measure(() => examine(signed(BODY, 'forged'), body)))
      }
      expect(least).toBeLessThan(5 * hmacs)
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
          ['a body over 512 KB', REWRITTEN.padEnd(512 * 1024 + 1), 0],
          ['a body that was serialized again, with all secrets', REWRITTEN, 8],
          ['a body that was printed in lines, with all secrets', `${PRETTY}\n`, 8],
          ['a body that was printed in lines, as it would be signed', JSON.stringify(JSON.parse(FLOAT), null, 2), 8],
          ['a body that was decoded as Latin-1', toLatin1(ACCENTS), 6],
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
