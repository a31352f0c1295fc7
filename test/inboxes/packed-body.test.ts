import { expect, it } from 'vitest'
import { pack, unpack } from '../../src/inboxes/packed-body.ts'
import { createDelivery } from '../../src/testing/index.ts'

const [order, customer] = (await Promise.all(
  (['orders.place', 'customers.create'] as const).map(async (topic) => Buffer.from((await createDelivery(topic)).body)),
)) as [Buffer, Buffer]

it.each([
  ['an order', order],
  ['nothing', Buffer.alloc(0)],
  ['bytes that are no text', Buffer.from([0, 255, 128, 10, 13])],
])('gives %s back to the byte', (_, body) => {
  expect(unpack(pack(body))?.equals(body)).toBe(true)
})

it('takes a fraction of the room for an order', () => {
  expect(pack(order).length).toBeLessThan(order.length / 4)
})

it('never gives back other bytes, whichever bit has flipped', () => {
  const packed = pack(customer)
  let found = 0
  for (let bit = 0; bit < packed.length * 8; bit += 1) {
    const damaged = Buffer.from(packed)
    damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    const body = unpack(damaged)
    if (!body) found += 1
    else if (!body.equals(customer)) throw new Error(`Bit ${bit} has changed the body, and was not found.`)
  }
  // What is left are bits that say when and on which system it was packed.
  expect(found).toBeGreaterThan(packed.length * 8 - 80)
})

it.each([0, 1, 10, -1])('does not take what was cut off at %i for the whole', (end) => {
  expect(unpack(pack(order).subarray(0, end))).toBeUndefined()
})
