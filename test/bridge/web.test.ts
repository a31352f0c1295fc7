import { createFetchHandler } from 'hooklayer/fetch'
import { describe, expect, it, vi } from 'vitest'
import { createRecorder } from '../adapters/mounts.ts'
import { HANDLED, ORDER } from '../contracts/adapter/deliveries.ts'
import { waitFor } from '../wait-for.ts'

const MEGABYTE = 1024 * 1024
const LIMITS = { maxBodyBytes: MEGABYTE, maxInFlight: 1 }

/** Not part of the suite for every adapter, because it takes four seconds and tests only the bridge. */
describe.concurrent('the web bridge, when a body without a content-length is over the limit,', () => {
  it('discards the rest of the body until it ends', async () => {
    const sent = createStream((chunk) => chunk < 10)
    expect(await sendAndGetErrors(sent.stream)).toEqual([413, ['BODY_TOO_LARGE']])
    await waitFor(() => expect(sent.state).toEqual({ chunks: 10, isEnded: true, isCancelled: false }))
  })

  it('discards up to 8 MiB of the rest, and then cancels the body', async () => {
    const sent = createStream((chunk) => chunk < 100)
    expect(await sendAndGetErrors(sent.stream)).toEqual([413, ['BODY_TOO_LARGE']])
    await waitFor(() => expect(sent.state.isCancelled).toBe(true))
    expect(sent.state.chunks).toBeGreaterThan(8)
    expect(sent.state.chunks).toBeLessThan(14)
  })

  it('waits four seconds for the rest, and then cancels the body', async () => {
    const sent = createStream((chunk) => chunk < 2 || new Promise(() => {}))
    const begin = performance.now()
    expect(await sendAndGetErrors(sent.stream)).toEqual([413, ['BODY_TOO_LARGE']])
    expect(performance.now() - begin).toBeLessThan(1000)
    await vi.waitFor(() => expect(sent.state.isCancelled).toBe(true), { timeout: 10_000, interval: 20 })
    expect(performance.now() - begin).toBeGreaterThan(3900)
  })

  it('ignores an error of the rest', async () => {
    const sent = createStream((chunk) => chunk < 2 || Promise.reject(new Error('The sender has hung up.')))
    expect(await sendAndGetErrors(sent.stream)).toEqual([413, ['BODY_TOO_LARGE']])
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(sent.state.isCancelled).toBe(false)
  })

  it('does not count the request toward `maxInFlight` while it discards the rest', async () => {
    const { receiver, errors } = createRecorder(LIMITS)
    const handle = createFetchHandler(receiver)
    const sent = createStream((chunk) => chunk < 2 || new Promise(() => {}))
    expect((await handle(createRequest(sent.stream))).status).toBe(413)
    expect(sent.state.isCancelled).toBe(false)
    expect(await (await handle(createRequest(new Uint8Array(ORDER.body)))).text()).toBe(HANDLED)
    expect(errors).toEqual(['BODY_TOO_LARGE'])
  })
})

describe('the web bridge does not trust the length that a `Request` announces:', () => {
  it('200 MB that are announced as ten bytes are read up to the limit only', async () => {
    const { receiver, errors } = createRecorder(LIMITS)
    const sent = createStream((chunk) => chunk < 200)
    const { status } = await createFetchHandler(receiver)(createRequest(sent.stream, { 'content-length': '10' }))
    expect([status, errors]).toEqual([413, ['BODY_TOO_LARGE']])
    await waitFor(() => expect(sent.state.isCancelled).toBe(true))
    expect(sent.state.chunks).toBeLessThan(14)
  })

  it('nothing is read of 200 MB that are announced as ten bytes and refused by the headers', async () => {
    const { receiver, errors } = createRecorder(LIMITS)
    const sent = createStream((chunk) => chunk < 200)
    const headers = { 'content-length': '10', 'content-encoding': 'gzip' }
    expect((await createFetchHandler(receiver)(createRequest(sent.stream, headers))).status).toBe(415)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(errors).toEqual(['ENCODING_UNSUPPORTED'])
    expect(sent.state.chunks).toBeLessThan(3)
  })

  it('an order that is announced as shorter than it is, is read to its end', async () => {
    const { receiver, handled } = createRecorder(LIMITS)
    const request = createRequest(new Blob([new Uint8Array(ORDER.body)]).stream(), { 'content-length': '10' })
    expect(await (await createFetchHandler(receiver)(request)).text()).toBe(HANDLED)
    expect(handled).toHaveLength(1)
  })
})

async function sendAndGetErrors(stream: ReadableStream<Uint8Array>): Promise<[status: number, errors: string[]]> {
  const { receiver, errors } = createRecorder(LIMITS)
  const { status } = await createFetchHandler(receiver)(createRequest(stream))
  return [status, errors]
}

/** A body in chunks of a megabyte. `hasNext` takes the number of chunks so far, and says whether there is another. */
function createStream(hasNext: (chunk: number) => boolean | Promise<boolean>) {
  const chunk = new Uint8Array(MEGABYTE)
  const state = { chunks: 0, isEnded: false, isCancelled: false }
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      state.isEnded = !(await hasNext(state.chunks))
      if (state.isEnded) return controller.close()
      state.chunks += 1
      controller.enqueue(chunk)
    },
    cancel() {
      state.isCancelled = true
    },
  })
  return { stream, state }
}

function createRequest(body: Uint8Array | ReadableStream, headers: Readonly<Record<string, string>> = {}): Request {
  const init = { method: 'POST', headers: { ...ORDER.headers, ...headers }, body, duplex: 'half' }
  return new Request('https://shop.example/webhooks', init as RequestInit)
}
