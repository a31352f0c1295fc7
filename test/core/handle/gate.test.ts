import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createGate } from '../../../src/core/handle/gate.ts'

async function isOpen(closing: Promise<unknown>): Promise<boolean> {
  return Promise.race([closing.then(() => false), sleep(10).then(() => true)])
}

describe('the places of a gate', () => {
  it('are as many as allowed, and free again when a delivery leaves', () => {
    const gate = createGate(2)
    gate.enter()
    expect(gate.isFull()).toBe(false)
    gate.enter()
    expect(gate.isFull()).toBe(true)
    expect(gate.enter).toThrow(expect.objectContaining({ code: 'OVERLOADED', status: 503, retryable: true }))
    gate.leave()
    expect(gate.isFull()).toBe(false)
    gate.enter()
    expect(gate.enter).toThrow(expect.objectContaining({ code: 'OVERLOADED' }))
  })

  it('are not taken by what has only begun', () => {
    const gate = createGate(1)
    for (let i = 0; i < 10; i++) gate.begin()
    expect(gate.isFull()).toBe(false)
    expect(gate.enter).not.toThrow()
  })

  it('are taken by work in the background for as long as it lasts', async () => {
    const gate = createGate(1)
    const work = sleep(30)
    gate.count(work)
    expect(gate.enter).toThrow(expect.objectContaining({ code: 'OVERLOADED' }))
    await work
    expect(gate.enter).not.toThrow()
  })
})

describe('a gate closes', () => {
  it('at once when nothing has begun', async () => {
    await createGate(1).close()
  })

  it('when the last request has ended, and refuses new ones at once', async () => {
    const gate = createGate(5)
    gate.begin()
    gate.begin()
    const closing = gate.close()
    expect(gate.begin).toThrow(expect.objectContaining({ code: 'SHUTTING_DOWN', status: 503, retryable: true }))
    gate.end()
    expect(await isOpen(closing)).toBe(true)
    gate.end()
    await closing
    expect(gate.begin).toThrow(expect.objectContaining({ code: 'SHUTTING_DOWN' }))
  })

  it('after late handlers, whose requests have ended before', async () => {
    const gate = createGate(1)
    gate.begin()
    gate.waitFor(sleep(30))
    gate.end()
    const closing = gate.close()
    expect(await isOpen(closing)).toBe(true)
    await closing
  })

  it('after work in the background', async () => {
    const gate = createGate(1)
    gate.count(sleep(30))
    const closing = gate.close()
    expect(await isOpen(closing)).toBe(true)
    await closing
  })

  it('without waiting for work that has ended', async () => {
    const gate = createGate(1)
    gate.waitFor(Promise.resolve())
    await sleep(0)
    await gate.close()
  })

  it('for all who close it', async () => {
    const gate = createGate(1)
    gate.begin()
    const closings = [gate.close(), gate.close()]
    gate.end()
    expect(await Promise.all(closings.map(isOpen))).toEqual([false, false])
  })
})
