import { describe, expect, it } from 'vitest'
import { copyBytes } from '../../src/core/copy-bytes.ts'
import { bytes } from '../deliveries.ts'

const POOLED = Buffer.from('a small buffer, which Node takes from its pool')

describe('copyBytes', () => {
  it.each([
    ['a buffer of a pool', POOLED],
    ['a view of a larger buffer', bytes('0123456789').subarray(2, 6)],
    ['a whole buffer', bytes('0123456789')],
    ['no bytes', new Uint8Array(0)],
    ['a view of shared memory', new Uint8Array(new SharedArrayBuffer(8), 2, 4)],
  ])('gives %s in a buffer that holds nothing else', (_, original) => {
    const copy = copyBytes(original)
    expect([...copy]).toEqual([...original])
    expect([copy.byteOffset, copy.buffer.byteLength]).toEqual([0, original.length])
    expect(copy.buffer).not.toBe(original.buffer)
    expect(copy.buffer).toBeInstanceOf(ArrayBuffer)
  })

  it('gives a Buffer for a Buffer, which can be read as text', () => {
    expect(POOLED.buffer.byteLength).toBeGreaterThan(POOLED.length)
    const copy = copyBytes(POOLED)
    expect(Buffer.isBuffer(copy)).toBe(true)
    expect(String(copy)).toBe(String(POOLED))
  })
})
