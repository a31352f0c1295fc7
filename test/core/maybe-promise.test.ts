import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { isPromise, pipe } from '../../src/core/maybe-promise.ts'

const add = (n: number) => (value: number) => value + n
const addLater = (n: number) => async (value: number) => value + n

describe('a value handed through stages', () => {
  it('arrives at once if no stage has to wait', () => {
    expect(pipe(1, add(2), add(3), add(4))).toBe(10)
  })

  it.each([
    ['the value itself', () => pipe(Promise.resolve(1), add(2), add(3), add(4))],
    ['the first stage', () => pipe(1, addLater(2), add(3), add(4))],
    ['the last stage', () => pipe(1, add(2), add(3), addLater(4))],
    ['every stage', () => pipe(Promise.resolve(1), addLater(2), addLater(3), addLater(4))],
  ])('is waited for where %s is on its way', async (_, walk) => {
    const arriving = walk()
    expect(isPromise(arriving)).toBe(true)
    expect(await arriving).toBe(10)
  })

  it('is awaited whichever realm its promise comes from', async () => {
    const foreign: unknown = runInNewContext('Promise.resolve(7)')
    expect(foreign).not.toBeInstanceOf(Promise)
    expect(isPromise(foreign)).toBe(true)
    expect(await pipe(foreign as Promise<number>, add(1))).toBe(8)
  })

  it('throws at once what a stage throws at once, and rejects with it otherwise', async () => {
    const fail = () => {
      throw new Error('no')
    }
    expect(() => pipe(1, fail)).toThrow('no')
    await expect(pipe(Promise.resolve(1), fail)).rejects.toThrow('no')
  })
})
