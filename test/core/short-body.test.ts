import { describe, expect, it } from 'vitest'
import { readShort } from '../../src/core/short-body.ts'
import { rejection } from '../deliveries.ts'

const alreadyParsed = () => new Error('already parsed')

/** A request that a server adapts without constructing a `Request`, as Hono's does. */
function adaptedRequest(arrayBuffer: () => Promise<ArrayBuffer>, bodyUsed = false): Request {
  return Object.assign(Object.create({ constructor: Request }), { arrayBuffer, bodyUsed })
}

const bytes = new Uint8Array([123, 125])
const whole = async () => bytes.buffer
const read = async (request: Request) => readShort(request, 2, alreadyParsed)

describe('a short body', () => {
  it('is read as a whole from a request that is adapted', async () => {
    expect(await readShort(adaptedRequest(whole), 2, alreadyParsed)).toEqual(bytes)
  })

  it.each([
    ['a request that is constructed', new Request('http://localhost', { method: 'POST', body: '{}' }), 2],
    ['one of unknown length', adaptedRequest(whole), undefined],
    ['one that is long', adaptedRequest(whole), 256 * 1024 + 1],
  ])('is not read from %s', (_, request, length) => {
    expect(readShort(request, length, alreadyParsed)).toBeUndefined()
  })

  it('is known to be locked by the error that reading gives', async () => {
    const locked = () => Promise.reject(new TypeError('locked'))
    expect(await rejection(read(adaptedRequest(locked)))).toEqual(alreadyParsed())
  })

  it('rejects with the error of the connection', async () => {
    const reset = new Error('reset')
    for (const error of [reset, undefined]) {
      const request = adaptedRequest(() => Promise.reject(error))
      expect(await rejection(read(request))).toBe(error)
    }
    const begun = adaptedRequest(() => Promise.reject(new TypeError('terminated')), true)
    expect(await rejection(read(begun))).toEqual(new TypeError('terminated'))
  })
})
