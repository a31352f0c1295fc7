import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createGate } from '../../../src/core/handle/gate.ts'

async function isPending(closing: Promise<unknown>): Promise<boolean> {
  return Promise.race([closing.then(() => false), sleep(10).then(() => true)])
}

describe('createGate', () => {
  it('admits deliveries up to the limit, and the next one when one has left', () => {
    const gate = createGate(2)
    gate.enter()
    gate.enter()
    expect(gate.enter()).toMatchObject({ code: 'OVERLOADED', status: 503, retryable: true })
    gate.leave()
    gate.enter()
    expect(gate.enter()).toMatchObject({ code: 'OVERLOADED' })
  })

  it('closes at once when no delivery is in progress', async () => {
    await createGate(1).close()
  })

  it('refuses new deliveries while it closes, and is closed when the last one has left', async () => {
    const gate = createGate(5)
    gate.enter()
    gate.enter()
    const closing = gate.close()
    expect(gate.enter()).toMatchObject({ code: 'SHUTTING_DOWN', status: 503, retryable: true })
    gate.leave()
    expect(await isPending(closing)).toBe(true)
    gate.leave()
    await closing
    expect(gate.enter()).toMatchObject({ code: 'SHUTTING_DOWN' })
  })

  it('closes only after late work has ended whose delivery has left', async () => {
    const gate = createGate(1)
    let finish = () => {}
    const work = new Promise<void>((resolve) => (finish = resolve))
    gate.enter()
    gate.waitFor(work)
    gate.leave()
    const closing = gate.close()
    expect(await isPending(closing)).toBe(true)
    finish()
    await closing
  })

  it('counts background work toward the limit until it has ended', async () => {
    const gate = createGate(1)
    const work = sleep(30)
    gate.enter()
    gate.count(work)
    gate.leave()
    expect(gate.enter()).toMatchObject({ code: 'OVERLOADED' })
    await work
    expect(gate.enter()).toBeUndefined()
  })

  it('closes without waiting for work that has already ended', async () => {
    const gate = createGate(1)
    gate.waitFor(Promise.resolve())
    await sleep(0)
    await gate.close()
  })

  it('resolves every call of `close`', async () => {
    const gate = createGate(1)
    gate.enter()
    const closings = [gate.close(), gate.close()]
    gate.leave()
    expect(await Promise.all(closings.map(isPending))).toEqual([false, false])
  })
})
