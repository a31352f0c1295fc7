import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createGate } from '../../../src/core/handle/gate.ts'

async function isOpen(closing: Promise<unknown>): Promise<boolean> {
  return Promise.race([closing.then(() => false), sleep(10).then(() => true)])
}

describe('a gate', () => {
  it('lets in as many as it should, and the next when one has left', () => {
    const gate = createGate(2)
    gate.enter()
    gate.enter()
    expect(gate.enter()).toMatchObject({ code: 'OVERLOADED', status: 503, retryable: true })
    gate.leave()
    gate.enter()
    expect(gate.enter()).toMatchObject({ code: 'OVERLOADED' })
  })

  it('closes at once when nobody is in', async () => {
    await createGate(1).close()
  })

  it('lets nobody in once it closes, and closes when the last has left', async () => {
    const gate = createGate(5)
    gate.enter()
    gate.enter()
    const closing = gate.close()
    expect(gate.enter()).toMatchObject({ code: 'SHUTTING_DOWN', status: 503, retryable: true })
    gate.leave()
    expect(await isOpen(closing)).toBe(true)
    gate.leave()
    await closing
    expect(gate.enter()).toMatchObject({ code: 'SHUTTING_DOWN' })
  })

  it('waits for work whose delivery has left', async () => {
    const gate = createGate(1)
    const work = sleep(30)
    gate.enter()
    gate.waitFor(work)
    gate.leave()
    const closing = gate.close()
    expect(await isOpen(closing)).toBe(true)
    await closing
  })

  it('counts work in the background for as long as it lasts', async () => {
    const gate = createGate(1)
    const work = sleep(30)
    gate.enter()
    gate.count(work)
    gate.leave()
    expect(gate.enter()).toMatchObject({ code: 'OVERLOADED' })
    await work
    expect(gate.enter()).toBeUndefined()
  })

  it('forgets work that has ended', async () => {
    const gate = createGate(1)
    gate.waitFor(Promise.resolve())
    await sleep(0)
    await gate.close()
  })

  it('closes for everybody who closes it', async () => {
    const gate = createGate(1)
    gate.enter()
    const closings = [gate.close(), gate.close()]
    gate.leave()
    expect(await Promise.all(closings.map(isOpen))).toEqual([false, false])
  })
})
