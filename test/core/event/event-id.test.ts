import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Document } from '../../../src/core/event/document.ts'
import { canonicalDocument } from '../../../src/core/event/event-id.ts'
import { CART, nested, order, thrownBy } from '../../deliveries.ts'

const parseJson = (text: string) => JSON.parse(text) as Document
const toDocument = (document: object) => parseJson(JSON.stringify(document))

/** Gives the canonical form of attributes: cut out of the canonical form of a document. */
function canonicalAttributes(attributes: string): string {
  const form = canonicalDocument(parseJson(`{"data":{"id":"a","type":"t","attributes":${attributes}}}`))
  return form.slice('{"data":{"attributes":'.length, -',"id":"a","relationships":{},"type":"t"},"included":[]}'.length)
}

function toDouble(hex: string): number {
  return Buffer.from(hex, 'hex').readDoubleBE()
}

/** RFC 8785, appendix B. */
const NUMBERS = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
] as const

describe('canonicalDocument', () => {
  it.each(NUMBERS)('writes the number %s as %s', (hex, expected) => {
    const source = Object.is(toDouble(hex), -0) ? '-0' : JSON.stringify(toDouble(hex))
    expect(canonicalAttributes(`{"number":${source}}`)).toBe(`{"number":${expected}}`)
  })

  it('writes numbers, strings and literals as in section 3.2.2 of RFC 8785', () => {
    const input = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`
    expect(canonicalAttributes(input)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  it('sorts keys by their UTF-16 code units, as in section 3.2.3 of RFC 8785', () => {
    const input = String.raw`{
      "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
    }`
    expect(
      Object.values(
        JSON.parse(
          `[${canonicalAttributes(input)
            .replace(/"[^"]+":/g, '')
            .slice(1, -1)}]`,
        ),
      ),
    ).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ])
  })

  it('keeps a key that is __proto__ or constructor', () => {
    expect(canonicalAttributes('{"constructor":1,"__proto__":{"a":2}}')).toBe('{"__proto__":{"a":2},"constructor":1}')
  })

  it('covers `data` and `included`, without links, meta and relationships that were not included', () => {
    expect(canonicalDocument(toDocument(CART))).toBe(
      '{"data":{"attributes":{"number":"2001","total_amount_float":20.5},"id":"NrlYhpzLKA","relationships":' +
        '{"customer":{"id":"OeRyhjDlje","type":"customers"},"line_items":[{"id":"xYZkjABcde","type":"line_items"}],' +
        '"payment_method":null},"type":"orders"},"included":[{"attributes":{"email":"ada@example.com"},' +
        '"id":"OeRyhjDlje","relationships":{},"type":"customers"},{"attributes":{"quantity":2},"id":"xYZkjABcde",' +
        '"relationships":{"order":{"id":"NrlYhpzLKA","type":"orders"}},"type":"line_items"}]}',
    )
  })

  it('treats null as absent where Commerce Layer writes either', () => {
    const bare = canonicalDocument(toDocument({ data: { id: 'a', type: 't' } }))
    const nulls = { id: 'a', type: 't', attributes: null, relationships: null, meta: null }
    expect(canonicalDocument(toDocument({ data: nulls, included: null, meta: null }))).toBe(bare)
    expect(canonicalDocument(toDocument({ data: { id: 'a', type: 't', relationships: { a: null } } }))).toBe(bare)
  })

  it('distinguishes an empty relationship from one that was not included', () => {
    const related = (relationship: object) =>
      canonicalDocument(toDocument({ data: order({ relationships: { a: relationship } }) }))
    expect(new Set([related({}), related({ data: null }), related({ data: [] })]).size).toBe(3)
  })

  it('accepts a document nested 400 levels deep, and refuses one nested 600 or 10,000 levels deep', () => {
    expect(canonicalDocument(parseJson(nested(400)))).toContain('2001')
    for (const levels of [600, 10_000]) {
      const error = thrownBy(() => canonicalDocument(parseJson(nested(levels))))
      expect(error).toMatchObject({ code: 'DOCUMENT_INVALID', hint: expect.stringMatching(/nested/) })
    }
  })

  it('refuses a number that is too large for a double with DOCUMENT_INVALID', () => {
    expect(thrownBy(() => canonicalAttributes('{"number":1e400}'))).toMatchObject({ code: 'DOCUMENT_INVALID' })
  })
})

const value = fc.jsonValue({ maxDepth: 2 })
const linksAndMeta = fc.record(
  { links: fc.object({ maxDepth: 0 }), meta: fc.object({ maxDepth: 0 }) },
  { requiredKeys: [] },
)

const resource = fc.record({
  id: fc.string(),
  type: fc.string(),
  attributes: fc.dictionary(fc.string({ minLength: 1 }), value, { minKeys: 1, maxKeys: 5, noNullPrototype: true }),
})
const documents = fc.record({ data: resource, included: fc.array(resource, { maxLength: 3 }) })

/**
 * Writes JSON in any of the ways that its syntax allows: order of keys, whitespace, spelling of numbers and strings.
 */
function spell(json: unknown, choose: (options: number) => number): string {
  const space = () => ['', ' ', '\n', '\t '][choose(4)] ?? ''
  const parts = (texts: string[]) => texts.map((text) => `${space()}${text}${space()}`).join(',')
  const text = (string: string) =>
    choose(2) === 0
      ? JSON.stringify(string)
      : `"${Array.from({ length: string.length }, (_, i) => `\\u${string.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`
  if (typeof json === 'string') return text(json)
  if (typeof json === 'number') return [`${json}`, json.toExponential(), withPoint(json)][choose(3)] ?? ''
  if (typeof json !== 'object' || json === null) return String(json)
  if (Array.isArray(json)) return `[${parts(json.map((one) => spell(one, choose)))}]`
  const entries = Object.entries(json)
  const shuffled = Array.from(entries).flatMap(() => entries.splice(choose(entries.length), 1))
  return `{${parts(shuffled.map(([key, one]) => `${text(key)}${space()}:${space()}${spell(one, choose)}`))}}`
}

/** Writes a number as Commerce Layer writes floats: 20.0. */
function withPoint(number: number): string {
  return Number.isInteger(number) && Math.abs(number) < 1e21 ? `${number}.0` : `${number}`
}

describe('canonicalDocument, for any document,', () => {
  it('is the same however the JSON is spelled', () => {
    fc.assert(
      fc.property(documents, fc.array(fc.nat(), { minLength: 1, maxLength: 50 }), (document, choices) => {
        let next = 0
        const choose = (options: number) => (choices[next++ % choices.length] ?? 0) % options
        const original = JSON.stringify(document)
        const respelled = spell(JSON.parse(original), choose)
        expect(canonicalDocument(parseJson(respelled))).toBe(canonicalDocument(parseJson(original)))
      }),
      { numRuns: 200 },
    )
  })

  it('is the same for any links and meta', () => {
    fc.assert(
      fc.property(documents, fc.array(linksAndMeta, { minLength: 4, maxLength: 4 }), ({ data, included }, extras) => {
        const [ofDocument, ofData, ofIncluded, ofRelationship] = extras
        const decorated = {
          ...ofDocument,
          data: { ...data, ...ofData, relationships: { customer: { ...ofRelationship } } },
          included: included.map((one) => ({ ...one, ...ofIncluded })),
        }
        expect(canonicalDocument(toDocument(decorated))).toBe(canonicalDocument(toDocument({ data, included })))
      }),
    )
  })

  it('changes with the value of any attribute, of the primary resource or an included one', () => {
    fc.assert(
      fc.property(documents, fc.nat(), fc.nat(), value, ({ data, included }, resourceIndex, keyIndex, changed) => {
        const resources = [data, ...included]
        const target = resources[resourceIndex % resources.length] ?? data
        const keys = Object.keys(target.attributes)
        const key = keys[keyIndex % keys.length] ?? ''
        fc.pre(!isDeepStrictEqual(asJson(target.attributes[key]), asJson(changed)))
        const [primary, ...rest] = resources.map((one) =>
          one === target ? { ...one, attributes: { ...one.attributes, [key]: changed } } : one,
        )
        const before = canonicalDocument(toDocument({ data, included }))
        expect(canonicalDocument(toDocument({ data: primary, included: rest }))).not.toBe(before)
      }),
      { numRuns: 200 },
    )
  })
})

function asJson(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json))
}
