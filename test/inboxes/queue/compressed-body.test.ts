import { randomBytes } from 'node:crypto'
import { brotliCompressSync, constants, crc32 } from 'node:zlib'
import { expect, it } from 'vitest'
import { compressBody, decompressBody, MAX_BODY_BYTES } from '../../../src/inboxes/queue/compressed-body.ts'
import { createDelivery } from '../../../src/testing/index.ts'

const [order, customer] = (await Promise.all(
  (['orders.place', 'customers.create'] as const).map(async (topic) => Buffer.from((await createDelivery(topic)).body)),
)) as [Buffer, Buffer]

it.each([
  ['an order', order],
  ['nothing', Buffer.alloc(0)],
  ['bytes that are not text', Buffer.from([0, 255, 128, 10, 13])],
  ['a megabyte that cannot be compressed', randomBytes(1_000_000)],
])('restores %s byte for byte', (_, body) => {
  expect(decompressBody(compressBody(body))?.equals(body)).toBe(true)
})

it('compresses an order to less than a quarter', () => {
  expect(compressBody(order).length).toBeLessThan(order.length / 4)
})

it('detects every flipped bit', () => {
  const packed = compressBody(customer)
  for (let bit = 0; bit < packed.length * 8; bit += 1) {
    const damaged = Buffer.from(packed)
    damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    if (decompressBody(damaged)) throw new Error(`Bit ${bit} has flipped, and was not found.`)
  }
})

it.each([0, 1, 4, 5, 10, -1])('rejects a body that is cut off at %i', (end) => {
  expect(decompressBody(compressBody(order).subarray(0, end))).toBeUndefined()
})

function pack(compressed: Buffer): Buffer {
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(compressed))
  return Buffer.concat([checksum, compressed])
}

it('rejects bytes that do not unpack, although their checksum is right', () => {
  expect(decompressBody(pack(Buffer.from('not Brotli')))).toBeUndefined()
})

it('does not unpack a few bytes to more than 64 MiB', () => {
  const bomb = pack(
    brotliCompressSync(Buffer.alloc(256 * 1024 * 1024), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  )
  const before = process.memoryUsage().rss
  expect(decompressBody(bomb)).toBeUndefined()
  expect(process.memoryUsage().rss - before).toBeLessThan(2 * MAX_BODY_BYTES)
})

it('stores 64 MiB, and refuses a byte more, which it could not unpack', () => {
  const largest = Buffer.alloc(MAX_BODY_BYTES)
  expect(decompressBody(compressBody(largest))?.byteLength).toBe(MAX_BODY_BYTES)
  expect(() => compressBody(Buffer.alloc(MAX_BODY_BYTES + 1))).toThrow('An inbox stores bodies of 64 MiB at most.')
})
