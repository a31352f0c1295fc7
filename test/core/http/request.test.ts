import { describe, expect, it } from 'vitest'
import { getHeader, type HeadersLike, toBytes } from '../../../src/core/http/request.ts'
import { bytes, thrownBy } from '../../deliveries.ts'

const NAME = 'x-commercelayer-topic'

function appended(...entries: [string, string][]): Headers {
  const headers = new Headers()
  for (const [name, value] of entries) headers.append(name, value)
  return headers
}

const FOUND: [string, HeadersLike][] = [
  ['a Headers', appended(['X-CommerceLayer-Topic', 'orders.place'])],
  ['entries', [['x-commercelayer-topic', 'orders.place']]],
  ['entries in any case', [['X-COMMERCELAYER-TOPIC', 'orders.place']]],
  ['a Map', new Map([['X-CommerceLayer-Topic', 'orders.place']])],
  ['an iterator of entries', new Headers({ 'X-CommerceLayer-Topic': 'orders.place' }).entries()],
  ['a record', { 'x-commercelayer-topic': 'orders.place' }],
  ['a record in any case', { 'X-CommerceLayer-Topic': 'orders.place' }],
  ['a record of lists', { 'X-CommerceLayer-Topic': ['orders.place'] }],
  ['a record without a prototype', Object.assign(Object.create(null), { 'x-commercelayer-topic': 'orders.place' })],
  ['a record with a header named get', { get: 'x', append: 'y', 'x-commercelayer-topic': 'orders.place' }],
]

const DOUBLED: [string, HeadersLike][] = [
  ['a Headers', appended([NAME, 'orders.place'], ['X-CommerceLayer-Topic', 'orders.pay'])],
  [
    'entries',
    [
      [NAME, 'orders.place'],
      ['X-CommerceLayer-Topic', 'orders.pay'],
    ],
  ],
  [
    'a Map',
    new Map([
      [NAME, 'orders.place'],
      ['X-CommerceLayer-Topic', 'orders.pay'],
    ]),
  ],
  ['a record of lists', { [NAME]: ['orders.place', 'orders.pay'] }],
  ['a record of lists in any case', { 'X-CommerceLayer-Topic': ['orders.place', 'orders.pay'] }],
]

const MISSING: [string, HeadersLike][] = [
  ['a Headers', new Headers({ 'x-other': 'orders.place' })],
  ['entries', [['x-other-header-topic!', 'orders.place']]],
  ['no entries', []],
  ['a Map', new Map([['x-other', 'orders.place']])],
  ['a record', { 'x-other': 'orders.place' }],
  ['an empty record', {}],
  ['a record that has it undefined', { [NAME]: undefined }],
]

describe('a header', () => {
  it.each(FOUND)('is found in %s', (_, headers) => {
    expect(getHeader(headers, NAME)).toBe('orders.place')
  })

  it.each(DOUBLED)(
    'that comes twice in %s is joined, so that nobody takes one of them for the only one',
    (_, headers) => {
      expect(getHeader(headers, NAME)).toBe('orders.place, orders.pay')
    },
  )

  it.each(MISSING)('that is not in %s is undefined', (_, headers) => {
    expect(getHeader(headers, NAME)).toBeUndefined()
  })

  it('is not what a record inherits', () => {
    expect(getHeader({}, 'constructor')).toBeUndefined()
    expect(getHeader(Object.create({ [NAME]: 'orders.place' }), NAME)).toBeUndefined()
  })
})

describe('a body', () => {
  it('of bytes is taken as it is', () => {
    const body = bytes('{}')
    expect(toBytes(body)).toBe(body)
    const buffer = Buffer.from('{}')
    expect(toBytes(buffer)).toBe(buffer)
  })

  it('of text stands for its UTF-8 bytes', () => {
    expect(toBytes('grüße')).toEqual(bytes('grüße'))
  })

  it.each([
    ['an object', { data: {} }],
    ['nothing', undefined],
    ['null', null],
    ['a number', 1],
    ['an ArrayBuffer', new ArrayBuffer(2)],
    ['a list of numbers', [123, 125]],
  ])('that is %s was parsed by somebody else', (_, body) => {
    expect(thrownBy(() => toBytes(body))).toMatchObject({ code: 'BODY_ALREADY_PARSED', status: 500 })
  })
})
