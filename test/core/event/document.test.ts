import { describe, expect, it } from 'vitest'
import { bytes, CART, delivery, nested, rejection, SECRET } from '../../deliveries.ts'
import { inBothRuntimes } from '../../runtimes.ts'

const ORDER = '"id":"NrlYhpzLKA","type":"orders"'
const MARK = Uint8Array.of(0xef, 0xbb, 0xbf)

const INVALID: [string, string | Uint8Array][] = [
  ['an empty body', ''],
  ['whitespace', ' \n'],
  ['a byte order mark before a genuine document', Uint8Array.of(...MARK, ...bytes(JSON.stringify(CART)))],
  ['invalid UTF-8', Uint8Array.of(...bytes('{"data":{"id":"'), 0xff, ...bytes('","type":"orders"}}'))],
  ['Latin 1', Buffer.from(`{"data":{${ORDER},"attributes":{"name":"Grüße"}}}`, 'latin1')],
  ['UTF-16', Buffer.from(JSON.stringify(CART), 'utf16le')],
  ['JSON cut short', '{"data":{"id":"NrlYhpzLKA"'],
  ['JSON with more text after it', `{"data":{${ORDER}}}{}`],
  ['a trailing comma', `{"data":{${ORDER},}}`],
  ['a URL-encoded form', 'data=1&type=orders'],
  ['base64', Buffer.from(JSON.stringify(CART)).toString('base64')],
  ['NaN', `{"data":{${ORDER},"attributes":{"total_amount_float":NaN}}}`],
  ['null', 'null'],
  ['a number', '1'],
  ['a string', '"orders"'],
  ['true', 'true'],
  ['a list', `[{${ORDER}}]`],
  ['an empty object', '{}'],
  ['data: null', '{"data":null}'],
  ['data: []', '{"data":[]}'],
  ['a list of resources', `{"data":[{${ORDER}}]}`],
  ['data that is text', '{"data":"orders"}'],
  ['a resource without id', '{"data":{"type":"orders"}}'],
  ['a resource without type', '{"data":{"id":"NrlYhpzLKA"}}'],
  ['a numeric id', '{"data":{"id":1,"type":"orders"}}'],
  ['a type that is null', '{"data":{"id":"NrlYhpzLKA","type":null}}'],
  ['attributes that are a list', `{"data":{${ORDER},"attributes":[]}}`],
  ['attributes that are text', `{"data":{${ORDER},"attributes":"x"}}`],
  ['relationships that are a list', `{"data":{${ORDER},"relationships":[]}}`],
  ['relationships that are a number', `{"data":{${ORDER},"relationships":1}}`],
  ['included that is an object', `{"data":{${ORDER}},"included":{}}`],
  ['included that is text', `{"data":{${ORDER}},"included":"x"}`],
  ['included that holds null', `{"data":{${ORDER}},"included":[null]}`],
  ['included that holds a list', `{"data":{${ORDER}},"included":[[]]}`],
  ['included without id', `{"data":{${ORDER}},"included":[{"type":"skus"}]}`],
  ['included without type', `{"data":{${ORDER}},"included":[{"id":"a"}]}`],
  ['included whose attributes are a list', `{"data":{${ORDER}},"included":[{"id":"a","type":"skus","attributes":[]}]}`],
  [
    'included whose relationships are text',
    `{"data":{${ORDER}},"included":[{"id":"a","type":"skus","relationships":""}]}`,
  ],
]

const VALID: [string, string][] = [
  ['only the id and type of a resource', `{"data":{${ORDER}}}`],
  ['null where an object may be', `{"data":{${ORDER},"attributes":null,"relationships":null,"meta":null}}`],
  ['null at the top', `{"data":{${ORDER}},"included":null,"meta":null}`],
  ['an empty list of included resources', `{"data":{${ORDER}},"included":[]}`],
  [
    'nulls in an included resource',
    `{"data":{${ORDER}},"included":[{"id":"a","type":"skus","attributes":null,"relationships":null}]}`,
  ],
  ['whitespace around it', `\n\t {"data":{${ORDER}}} \r\n`],
  ['unknown members', `{"jsonapi":{"version":"1.0"},"links":{},"data":{${ORDER},"extra":1},"extra":[]}`],
  ['an escaped ampersand', `{"data":{${ORDER},"attributes":{"url":"a\\u0026b"}}}`],
]

describe.each(await inBothRuntimes(() => import('hooklayer')))('parse on %s', (_, { parse, verify }) => {
  async function verifyAndParse(body: string | Uint8Array) {
    const request = delivery('orders.place', body)
    return parse(await verify(request.body, request.headers, SECRET))
  }

  it.each(INVALID)('refuses a signed body that is not a document: %s', async (_, body) => {
    const error = await rejection(verifyAndParse(body))
    expect(error).toMatchObject({ code: 'DOCUMENT_INVALID', status: 400, retryable: false })
    expect(error).toHaveProperty('hint', expect.stringMatching(/\w/))
    expect(error).not.toHaveProperty('cause')
  })

  it.each(VALID)('accepts a document with %s', async (_, body) => {
    expect((await verifyAndParse(body)).resource).toMatchObject({ id: 'NrlYhpzLKA', type: 'orders' })
  })

  it('gives a different hint for each reason', async () => {
    const getHint = async (body: string | Uint8Array) =>
      ((await rejection(verifyAndParse(body))) as { hint: string }).hint
    const hints = await Promise.all(
      ['', Uint8Array.of(0xff), Uint8Array.of(...MARK, 0x7b, 0x7d), '{', '{}', '{"data":{"id":"a"}}'].map(getHint),
    )
    expect(hints[0]).toMatch(/empty/)
    expect(hints[1]).toMatch(/UTF-8/)
    expect(hints[2]).toMatch(/byte order mark/)
    expect(hints[3]).toMatch(/JSON/)
    expect(hints[4]).toMatch(/data/)
    expect(hints[5]).toMatch(/data\.type/)
    expect(new Set(hints).size).toBe(hints.length)
  })

  it('accepts a document that is nested 10,000 levels deep', async () => {
    expect((await verifyAndParse(nested(10_000))).resource).toMatchObject({ number: '2001' })
  })
})
