import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { isPromise, pipe } from '../../src/core/maybe-promise.ts'

const add = (n: number) => (value: number) => value + n
const addLater = (n: number) => async (value: number) => value + n

describe('pipe', () => {
  it('gives the value at once if no step is asynchronous', () => {
    expect(pipe(1, add(2), add(3), add(4))).toBe(10)
  })

  it.each([
    ['the value itself', () => pipe(Promise.resolve(1), add(2), add(3), add(4))],
    ['the first step', () => pipe(1, addLater(2), add(3), add(4))],
    ['the last step', () => pipe(1, add(2), add(3), addLater(4))],
    ['every step', () => pipe(Promise.resolve(1), addLater(2), addLater(3), addLater(4))],
  ])('gives a promise of the value if %s is asynchronous', async (_, runPipe) => {
    const result = runPipe()
    expect(isPromise(result)).toBe(true)
    expect(await result).toBe(10)
  })

  it('awaits a promise that comes from another realm', async () => {
    const foreign: unknown = runInNewContext('Promise.resolve(7)')
    expect(foreign).not.toBeInstanceOf(Promise)
    expect(isPromise(foreign)).toBe(true)
    expect(await pipe(foreign as Promise<number>, add(1))).toBe(8)
  })

  it('throws the error of a step that runs at once, and rejects with it after a wait', async () => {
    const fail = () => {
      throw new Error('no')
    }
    expect(() => pipe(1, fail)).toThrow('no')
    await expect(pipe(Promise.resolve(1), fail)).rejects.toThrow('no')
  })
})
