import { explainSignature, sign, TEST_SECRET } from 'hooklayer/testing'
import { expect, it } from 'vitest'

const BODY = '{"total_amount_float":20.0}'
const signature = await sign(BODY, TEST_SECRET)
const ask = (body: Uint8Array | string, more: object = {}) =>
  explainSignature({ body, signature, secrets: TEST_SECRET, ...more })

it('matches with any of the secrets, and says nothing then', async () => {
  const matches = { matches: true, reason: undefined, offset: undefined }
  expect(await ask(BODY)).toEqual(matches)
  expect(await ask(new TextEncoder().encode(BODY), { secrets: ['a', 'b', 'c', TEST_SECRET] })).toEqual(matches)
})

it('gives the offset of the first byte that differs', async () => {
  expect(await ask(`${BODY}\n`)).toMatchObject({
    matches: false,
    reason: expect.stringContaining('whitespace'),
    offset: 27,
  })
  expect(await ask(BODY.replace('.0', ''))).toMatchObject({ reason: expect.stringContaining('floats'), offset: 24 })
  expect(await ask(BODY.replace('20', '30'))).toMatchObject({
    reason: expect.stringContaining('not known'),
    offset: undefined,
  })
})

it('tries all secrets, where a receiver tries two and four', async () => {
  const secrets = ['a', 'b', 'c', TEST_SECRET]
  expect(await ask(`${BODY} `, { secrets })).toMatchObject({ reason: expect.stringContaining('whitespace') })
  const otherSecrets = ['a', 'b', 'c', 'd', 'e', TEST_SECRET]
  expect(await ask(BODY, { secrets: 'x', otherSecrets })).toMatchObject({
    reason: expect.stringContaining('another topic'),
  })
})

it('says that a signature has another form', async () => {
  const hex = Buffer.from(signature, 'base64').toString('hex')
  expect(await ask(BODY, { signature: hex })).toMatchObject({
    reason: expect.stringContaining('not base64 of 32 bytes'),
  })
})

it.each([[[]], [''], [['a', '']], [undefined]])('refuses the secrets %j', async (secrets) => {
  await expect(ask(BODY, { secrets })).rejects.toThrow('explainSignature: `secrets` must be')
})
