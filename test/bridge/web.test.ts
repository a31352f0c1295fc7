import { createFetchHandler } from 'hooklayer/fetch'
import { describe, expect, it, vi } from 'vitest'
import { createRecorder } from '../adapters/mounts.ts'
import { HANDLED, ORDER } from '../contracts/adapter/deliveries.ts'

const MEGABYTE = 1024 * 1024
const LIMITS = { maxBodyBytes: MEGABYTE, maxInFlight: 1 }

/** Tested here and not in the contract of every adapter: it takes four seconds, and the bridge does it. */
describe.concurrent('The rest of a body over the limit, without a `Content-Length`,', () => {
  it('is read and discarded until it ends', async () => {
    const sent = streamOf((chunk) => chunk < 10)
    expect(await refused(sent.stream)).toEqual([413, ['BODY_TOO_LARGE']])
    await vi.waitFor(() => expect(sent.state).toEqual({ chunks: 10, isEnded: true, isCancelled: false }))
  })

  it('is discarded up to 64 MiB, and then no more is read', async () => {
    const sent = streamOf((chunk) => chunk < 100)
    expect(await refused(sent.stream)).toEqual([413, ['BODY_TOO_LARGE']])
    await vi.waitFor(() => expect(sent.state.isCancelled).toBe(true))
    expect(sent.state.chunks).toBeGreaterThan(60)
    expect(sent.state.chunks).toBeLessThan(70)
  })

  it('is awaited for four seconds', async () => {
    const sent = streamOf((chunk) => chunk < 2 || new Promise(() => {}))
    const begin = performance.now()
    expect(await refused(sent.stream)).toEqual([413, ['BODY_TOO_LARGE']])
    expect(performance.now() - begin).toBeLessThan(1000)
    await vi.waitFor(() => expect(sent.state.isCancelled).toBe(true), { timeout: 10_000, interval: 20 })
    expect(performance.now() - begin).toBeGreaterThan(3900)
  })

  it('may fail without an error', async () => {
    const sent = streamOf((chunk) => chunk < 2 || Promise.reject(new Error('The sender has hung up.')))
    expect(await refused(sent.stream)).toEqual([413, ['BODY_TOO_LARGE']])
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(sent.state.isCancelled).toBe(false)
  })

  it('takes no place of `maxInFlight`', async () => {
    const { receiver, errors } = createRecorder(LIMITS)
    const handle = createFetchHandler(receiver)
    const sent = streamOf((chunk) => chunk < 2 || new Promise(() => {}))
    expect((await handle(requestOf(sent.stream))).status).toBe(413)
    expect(sent.state.isCancelled).toBe(false)
    expect(await (await handle(requestOf(new Uint8Array(ORDER.body)))).text()).toBe(HANDLED)
    expect(errors).toEqual(['BODY_TOO_LARGE'])
  })
})

async function refused(stream: ReadableStream<Uint8Array>): Promise<[status: number, errors: string[]]> {
  const { receiver, errors } = createRecorder(LIMITS)
  const { status } = await createFetchHandler(receiver)(requestOf(stream))
  return [status, errors]
}

/** A stream of one megabyte at a time, while `goesOn` of the number of chunks so far is true. */
function streamOf(goesOn: (chunk: number) => boolean | Promise<boolean>) {
  const piece = new Uint8Array(MEGABYTE)
  const state = { chunks: 0, isEnded: false, isCancelled: false }
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      state.isEnded = !(await goesOn(state.chunks))
      if (state.isEnded) return controller.close()
      state.chunks += 1
      controller.enqueue(piece)
    },
    cancel() {
      state.isCancelled = true
    },
  })
  return { stream, state }
}

function requestOf(body: Uint8Array | ReadableStream): Request {
  const init = { method: 'POST', headers: { ...ORDER.headers }, body, duplex: 'half' }
  return new Request('https://shop.example/webhooks', init as RequestInit)
}
