import { PermanentError, WebhookError } from 'hooklayer'
import { maskText } from 'hooklayer/testing'
import { describe, expect, it } from 'vitest'
import { describeFailure, readResource } from '../../../src/inboxes/queue/describe-failure.ts'

describe('the text of an error that a dead letter keeps', () => {
  it.each([
    ['ERP answered 422', 'ERP answered 422'],
    ['Order 1054 has 3 lines, of 12.50 EUR.', 'Order 1054 has 3 lines, of 12.50 EUR.'],
    ['Key (email)=(jane.doe+shop@example.com) already exists.', 'Key (email)=(…) already exists.'],
    ['GET https://crm.example/people/jane%40example.com failed', 'GET https:… failed'],
    ['Cannot call +49 (0)30 1234-567.', 'Cannot call ….'],
    ['4111 1111 1111 1111 was declined', '… was declined'],
    ['GET https://erp.example/orders?token=abc&name=Doe failed', 'GET https://erp.example/orders… failed'],
    ['Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x is expired', 'Bearer ….….x is expired'],
    ['connect ECONNREFUSED 127.0.0.1:5432', 'connect ECONNREFUSED 127.0.0.1:5432'],
    ['createOrderInWarehouseSystem failed', 'createOrderInWarehouseSystem failed'],
  ])('is masked where it looks like personal data or a secret: %s', (text, masked) => {
    expect(maskText(text)).toBe(masked)
    expect(maskText(masked)).toBe(masked)
  })

  it.each(['a/', '=a', '1-', '?a=', '1 ', 'a@', '+1', '%40'])(
    'is masked in no time, however many %j it has',
    (part) => {
      const start = performance.now()
      maskText(part.repeat(100_000))
      expect(performance.now() - start).toBeLessThan(1000)
    },
  )

  it('is masked in message and cause, unless it is asked for in full', () => {
    const permanent = new PermanentError('No mail for a@b.example.', { cause: new Error('a@b.example bounced') })
    expect(describeFailure(permanent, 'masked')).toMatchObject({ message: 'No mail for ….', cause: '… bounced' })
    expect(describeFailure(permanent, 'full')).toMatchObject({
      message: 'No mail for a@b.example.',
      cause: 'a@b.example bounced',
    })
    expect(describeFailure(new WebhookError('DOCUMENT_INVALID'), 'masked')).not.toHaveProperty('cause')
  })
})

describe('the resource of a dead letter', () => {
  const read = (document: unknown) => readResource(Buffer.from(JSON.stringify(document)))

  it('is that of the document, with the number of an order', () => {
    const attributes = { number: '1054', email: 'a@b.example' }
    expect(read({ data: { type: 'orders', id: 'abc', attributes } })).toEqual({
      type: 'orders',
      id: 'abc',
      number: '1054',
    })
    expect(read({ data: { type: 'customers', id: 'x' } })).toEqual({ type: 'customers', id: 'x' })
  })

  it.each([[{}], [null], [{ data: { type: 1, id: 'x' } }], [{ data: { type: 'orders' } }]])(
    'is absent in a document without one: %j',
    (document) => {
      expect(read(document)).toBeUndefined()
    },
  )

  it('is absent if the body is no JSON', () => {
    expect(readResource(Buffer.from([0xff, 0]))).toBeUndefined()
  })
})
