import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import type { Connections } from './reservations.ts'

export function testCounting(connection: Connections): void {
  const count = (at: number, topic: string, change: 'add' | 'reset' | 'read') =>
    connection(at).countFailures?.(topic, change)

  it('counts the failures of a topic over all connections, and starts anew', async () => {
    const topic = `orders.${randomUUID()}`
    expect(await count(0, topic, 'read')).toBe(0)
    expect(await count(0, topic, 'add')).toBe(1)
    expect(await count(1, topic, 'add')).toBe(2)
    expect(await count(2, `${topic}x`, 'add')).toBe(1)
    expect(await count(3, topic, 'read')).toBe(2)
    expect(await count(4, topic, 'reset')).toBe(0)
    expect(await count(0, topic, 'read')).toBe(0)
    expect(await count(0, topic, 'add')).toBe(1)
  })

  it('gives each of many failures at once a number of its own', async () => {
    const topic = `orders.${randomUUID()}`
    const numbers = await Promise.all(Array.from({ length: 30 }, (_, at) => count(at, topic, 'add')))
    expect(numbers.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, at) => at + 1))
  })
}
