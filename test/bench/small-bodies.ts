/** Documents of about 100 bytes, smaller than any order. */
export function createSmallBodies(): () => Buffer {
  let number = 0
  return () => {
    number += 1
    return Buffer.from(JSON.stringify({ data: { type: 'orders', id: `order${number}`, attributes: { number } } }))
  }
}
