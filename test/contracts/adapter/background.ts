import { describe, expect } from 'vitest'
import { waitFor } from '../../wait-for.ts'
import { ORDER, UNSIGNED } from './deliveries.ts'
import { send } from './harness.ts'
import type { Host } from './host.ts'

/** The answer first, the handlers afterwards. */
export function testBackground({ open, needs }: Host): void {
  describe('in the background', () => {
    const test = needs('background')

    test('answers 202 while the handler runs, and lets it finish', async () => {
      const remote = await open({ handler: 'waits to be released', background: true })
      const answer = await send(remote, ORDER)
      expect([answer.status, answer.text]).toEqual([202, '{"outcome":"queued"}'])
      await waitFor(async () => expect((await remote.observed()).events).toHaveLength(1))
      expect((await remote.observed()).ended).toBe(0)
      await remote.release()
      await waitFor(async () => expect((await remote.observed()).ended).toBe(1))
      expect((await remote.observed()).errors).toEqual([])
    })

    test('calls `onError` if a handler fails after the answer', async () => {
      const remote = await open({ handler: 'fails', background: true })
      expect((await send(remote, ORDER)).status).toBe(202)
      await waitFor(async () => expect((await remote.observed()).errors).toEqual(['HANDLER_FAILED']))
    })

    test('still refuses a forged delivery with the answer', async () => {
      const remote = await open({ background: true })
      const answer = await remote.expectSameAnswer(UNSIGNED)
      expect([answer.status, answer.body.error.code]).toEqual([401, 'SIGNATURE_MISSING'])
      expect((await remote.observed()).events).toEqual([])
    })
  })
}
