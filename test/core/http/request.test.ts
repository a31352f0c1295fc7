import { runInNewContext, runInThisContext } from 'node:vm'
import type { WebhookError } from 'hooklayer'
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
  ['a record with another spelling that is undefined', { [NAME]: 'orders.place', 'X-CommerceLayer-Topic': undefined }],
  ['a record in any case', { 'X-CommerceLayer-Topic': 'orders.place' }],
  ['a record of lists', { 'X-CommerceLayer-Topic': ['orders.place'] }],
  ['a record without a prototype', Object.assign(Object.create(null), { 'x-commercelayer-topic': 'orders.place' })],
  ['a record with a header named get', { get: 'x', append: 'y', 'x-commercelayer-topic': 'orders.place' }],
]

const REPEATED: [string, HeadersLike][] = [
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
  ['a record in two spellings', { [NAME]: 'orders.place', 'X-CommerceLayer-Topic': 'orders.pay' }],
  [
    'a record in two other spellings',
    { 'X-CommerceLayer-Topic': 'orders.place', 'X-COMMERCELAYER-TOPIC': ['orders.pay'] },
  ],
  ['a record of lists in any case', { 'X-CommerceLayer-Topic': ['orders.place', 'orders.pay'] }],
]

const MISSING: [string, HeadersLike][] = [
  ['a Headers', new Headers({ 'x-other': 'orders.place' })],
  ['entries', [['x-other-header-topic!', 'orders.place']]],
  ['no entries', []],
  ['a Map', new Map([['x-other', 'orders.place']])],
  ['a record', { 'x-other': 'orders.place' }],
  ['an empty record', {}],
  ['a record in which it is undefined', { [NAME]: undefined }],
]

describe('getHeader', () => {
  it.each(FOUND)('finds a header in %s', (_, headers) => {
    expect(getHeader(headers, NAME)).toBe('orders.place')
  })

  it.each(REPEATED)(
    'joins a header that comes twice in %s, so that neither value counts as the only one',
    (_, headers) => {
      expect(getHeader(headers, NAME)).toBe('orders.place, orders.pay')
    },
  )

  it.each(MISSING)('gives undefined for a header that is not in %s', (_, headers) => {
    expect(getHeader(headers, NAME)).toBeUndefined()
  })

  it('does not find what a record inherits', () => {
    expect(getHeader({}, 'constructor')).toBeUndefined()
    expect(getHeader(Object.create({ [NAME]: 'orders.place' }), NAME)).toBeUndefined()
  })
})

describe('toBytes', () => {
  it('gives bytes as they are', () => {
    const body = bytes('{}')
    expect(toBytes(body)).toBe(body)
    const buffer = Buffer.from('{}')
    expect(toBytes(buffer)).toBe(buffer)
  })

  it('gives the UTF-8 bytes of text', () => {
    expect(toBytes('grüße')).toEqual(bytes('grüße'))
  })

  it.each([
    ['an object', { data: {} }],
    ['undefined', undefined],
    ['null', null],
    ['a number', 1],
    ['a list of numbers', [123, 125]],
  ])('refuses %s as a body that was already parsed', (_, body) => {
    expect(thrownBy(() => toBytes(body))).toMatchObject({ code: 'BODY_ALREADY_PARSED', status: 500 })
  })

  it('names the type of what it refuses', () => {
    const { hint } = thrownBy(() => toBytes({ data: {} })) as WebhookError
    expect(hint).toBe('The body is neither bytes nor text, but of type Object.')
  })

  it.each([
    ['an ArrayBuffer', 'new Uint8Array([123, 125]).buffer'],
    [
      'a SharedArrayBuffer',
      '(() => { const b = new SharedArrayBuffer(2); new Uint8Array(b).set([123, 125]); return b })()',
    ],
    ['a DataView', 'new DataView(new Uint8Array([0, 123, 125]).buffer, 1)'],
    ['a Uint8Array', 'new Uint8Array([123, 125])'],
  ])('never refuses %s, of this realm or another', (_, source) => {
    for (const body of [runInThisContext(source), runInNewContext(source)]) {
      const read = toBytes(body)
      expect(read).toBeInstanceOf(Uint8Array)
      expect([...read]).toEqual([123, 125])
    }
  })
})
