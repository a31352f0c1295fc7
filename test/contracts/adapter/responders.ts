import type { ExternalResourceKind } from 'hooklayer/responder'
import { createRequest } from 'hooklayer/testing'
import { describe, expect, it } from 'vitest'
import type { Sent } from './deliveries.ts'
import type { Host } from './host.ts'
import { SECRETS } from './secrets.ts'

/** A right answer of each kind to its sample, with text that has more bytes than characters. */
const ANSWERS: Readonly<Record<ExternalResourceKind, object>> = {
  prices: { sku_code: 'TSHIRTMM000000FFFFFFXLXX', unit_amount_cents: 4900, metadata: { note: 'für dich 🎉' } },
  'order-validation': { metadata: { note: 'für dich 🎉' } },
  'shipping-cost': { unit_amount_cents: 1500 },
  promotion: { name: 'Zehn für dich 🎉', discount_cents: 1000 },
  tax: { tax_rate: 0.22 },
}

const KINDS = Object.keys(ANSWERS) as ExternalResourceKind[]
const secret = SECRETS['orders.place']

async function requestOf(kind: ExternalResourceKind, headers: Record<string, undefined> = {}): Promise<Sent> {
  const { headers: given, body } = await createRequest(kind, { secret, headers })
  const { 'content-length': _, ...others } = given
  return { headers: others, body }
}

const failure = (code: string) => ({ success: false, error: { code, message: expect.any(String) } })

/** A responder in the place of a receiver: each answer is what the responder gave, byte for byte. */
export function testResponders({ open }: Host): void {
  describe('a responder', () => {
    it.each(KINDS)('answers a request of %s, which has no topic', async (kind) => {
      const remote = await open({ responder: { kind, does: 'answer', answer: ANSWERS[kind] } })
      const answer = await remote.expectSameAnswer(await requestOf(kind))
      expect([answer.status, answer.body]).toEqual([200, { success: true, data: ANSWERS[kind] }])
    })

    it('refuses with 422', async () => {
      const remote = await open({ responder: { kind: 'order-validation', does: 'refuse' } })
      const answer = await remote.expectSameAnswer(await requestOf('order-validation'))
      const error = { code: 'OUT_OF_STOCK', message: 'Ausverkäuft 🎈' }
      expect([answer.status, answer.body]).toEqual([422, { success: false, error }])
    })

    it.each(['answer wrongly', 'throw', 'never end'] as const)(
      'answers the fallback for handlers that %s',
      async (does) => {
        const remote = await open({
          responder: { kind: 'tax', does, answer: ANSWERS.tax, fallback: { tax_rate: 0.1 } },
        })
        const answer = await remote.expectSameAnswer(await requestOf('tax'))
        expect([answer.status, answer.body]).toEqual([200, { success: true, data: { tax_rate: 0.1 } }])
      },
    )

    it.each([
      ['answer wrongly', 500, 'INTERNAL_ERROR'],
      ['throw', 500, 'HANDLER_FAILED'],
      ['never end', 503, 'DEADLINE_EXCEEDED'],
    ] as const)('says in the form of the platform that handlers %s', async (does, status, code) => {
      const remote = await open({ responder: { kind: 'tax', does, answer: ANSWERS.tax } })
      const answer = await remote.expectSameAnswer(await requestOf('tax'))
      expect([answer.status, answer.body]).toEqual([status, failure(code)])
      expect(answer.text).not.toContain('sëcret')
    })

    it('refuses a request without a signature', async () => {
      const remote = await open({ responder: { kind: 'tax', does: 'answer', answer: ANSWERS.tax } })
      const { headers } = await requestOf('tax', { 'X-CommerceLayer-Signature': undefined })
      // A short body: Bun answers before it has read a long one, and closes the connection.
      const answer = await remote.expectSameAnswer({ headers, body: Buffer.from('{}') })
      expect([answer.status, answer.body]).toEqual([401, failure('SIGNATURE_MISSING')])
    })
  })
}
