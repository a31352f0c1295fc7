import { describe, expect, vi } from 'vitest'
import { ORDER, UNSIGNED } from './deliveries.ts'
import { send } from './harness.ts'
import type { Host } from './host.ts'

/** The answer first, the handlers after. */
export function testBackground({ open, needs }: Host): void {
  describe('in the background', () => {
    const test = needs('background')

    test('answers 202 while the handler runs, and lets it end', async () => {
      const scene = await open({ handler: 'waits to be released', background: true })
      const answer = await send(scene, ORDER)
      expect([answer.status, answer.text]).toEqual([202, '{"outcome":"queued"}'])
      await vi.waitFor(async () => expect((await scene.seen()).events).toHaveLength(1))
      expect((await scene.seen()).ended).toBe(0)
      await scene.release()
      await vi.waitFor(async () => expect((await scene.seen()).ended).toBe(1))
      expect((await scene.seen()).errors).toEqual([])
    })

    test('tells `onError` of a handler that fails, after the answer', async () => {
      const scene = await open({ handler: 'fails', background: true })
      expect((await send(scene, ORDER)).status).toBe(202)
      await vi.waitFor(async () => expect((await scene.seen()).errors).toEqual(['HANDLER_FAILED']))
    })

    test('still refuses what is not genuine, with the answer', async () => {
      const scene = await open({ background: true })
      const answer = await scene.expectSameAnswer(UNSIGNED)
      expect([answer.status, answer.body.error.code]).toEqual([401, 'SIGNATURE_MISSING'])
      expect((await scene.seen()).events).toEqual([])
    })
  })
}
