import type { Emulator } from '../../emulator/index.ts'
import type { Inbox } from '../../index.ts'
import type { DeliveryRecord } from '../../recorder/record.ts'
import type { LiveMessage } from '../api.ts'
import type { Mask } from './mask.ts'
import type { RecorderReader } from './options.ts'
import { type Ask, Refusal } from './problem.ts'
import { toItem } from './write-delivery.ts'
import { toCounts } from './write-inbox.ts'

/** Tells open pages what is new, by server-sent events. */
export interface Live {
  /**
   * @param method of the request. HEAD gets no stream: nobody would read it, or end it.
   * @throws Refusal 503 if too many pages are open
   */
  open(method: string): Response
  publish(message: LiveMessage): void
  close(): void
}

interface LiveOptions {
  readonly recorder: RecorderReader | undefined
  readonly inbox: Pick<Inbox, 'statistics'> | undefined
  readonly emulator: Pick<Emulator, 'answers'> | undefined
  readonly ask: Ask
  readonly mask: Mask
}

const MAX_CLIENTS = 50
/** New deliveries are told together, at most so many; with more, the page asks for them. */
const BATCH_MS = 200
const MAX_BATCH = 500
const COUNT_MS = 2000
/** The emulator is in this process: a look at its answers costs nothing. */
const ANSWERS_MS = 250
/** Proxies close connections that are silent for a minute. */
const HEARTBEAT_MS = 15_000
/** What may wait for a client that reads slowly. */
const MAX_WAITING_BYTES = 1024 * 1024

/** `x-accel-buffering` is nginx's: it would keep the events back. */
const STREAM_HEADERS = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }

interface Client {
  /** What does not fit is dropped, and the client is told so when it has read the rest. */
  send(text: string): void
  end(): void
}

export function createLive({ recorder, inbox, emulator, ask, mask }: LiveOptions): Live {
  const clients = new Set<Client>()
  let stopWatching: (() => void) | undefined
  let isClosed = false

  function publish(message: LiveMessage): void {
    if (clients.size === 0) return
    const text = write(message)
    for (const client of clients) client.send(text)
  }

  /** Watches for as long as somebody looks, once for all. */
  function watch(): () => void {
    const stops = [
      every(HEARTBEAT_MS, () => {
        for (const client of clients) client.send(': still here\n\n')
      }),
      ...(recorder ? [watchRecorder(recorder, mask, publish)] : []),
      ...(inbox ? [watchInbox(inbox, ask, publish)] : []),
      ...(emulator ? [watchAnswers(emulator, publish)] : []),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }

  return {
    open(method) {
      if (isClosed) throw new Refusal(503, 'The dashboard is closed.')
      if (clients.size >= MAX_CLIENTS) {
        throw new Refusal(503, `Up to ${MAX_CLIENTS} pages may be live. Close some, or reload this one by hand.`)
      }
      if (method === 'HEAD') return new Response(null, { headers: STREAM_HEADERS })
      const { client, stream } = createClient(() => {
        clients.delete(client)
        if (clients.size > 0) return
        stopWatching?.()
        stopWatching = undefined
      })
      clients.add(client)
      stopWatching ??= watch()
      return new Response(stream, { headers: STREAM_HEADERS })
    },
    publish,
    close() {
      isClosed = true
      for (const client of [...clients]) client.end()
    },
  }
}

function createClient(onEnd: () => void): { readonly client: Client; readonly stream: ReadableStream<Uint8Array> } {
  const encoder = new TextEncoder()
  let controller: ReadableStreamDefaultController<Uint8Array>
  let isBehind = false
  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
        // Proxies and pages know by it that the stream is open.
        controller.enqueue(encoder.encode('retry: 2000\n: open\n\n'))
      },
      pull() {
        if (!isBehind) return
        isBehind = false
        controller.enqueue(encoder.encode(write({ type: 'gap' })))
      },
      cancel: onEnd,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MAX_WAITING_BYTES }),
  )
  return {
    stream,
    client: {
      send(text) {
        const bytes = encoder.encode(text)
        if (isBehind || (controller.desiredSize ?? 0) < bytes.byteLength) isBehind = true
        else controller.enqueue(bytes)
      },
      end() {
        controller.close()
        onEnd()
      },
    },
  }
}

function watchRecorder(recorder: RecorderReader, mask: Mask, publish: (message: LiveMessage) => void): () => void {
  let waiting: DeliveryRecord[] = []
  let isOver = false
  let timer: ReturnType<typeof setTimeout> | undefined
  function flush(): void {
    timer = undefined
    const items = waiting.map((record) => toItem(mask.record(record))).reverse()
    publish(isOver ? { type: 'gap' } : { type: 'deliveries', items })
    waiting = []
    isOver = false
  }
  const unsubscribe = recorder.subscribe((records) => {
    waiting.push(...records.slice(0, MAX_BATCH - waiting.length))
    isOver ||= waiting.length === MAX_BATCH
    timer ??= setTimeout(flush, BATCH_MS)
  })
  return () => {
    unsubscribe()
    clearTimeout(timer)
  }
}

/** Counts again and again, and tells what has changed. A failure is told by the calls of the page. */
function watchInbox(inbox: Pick<Inbox, 'statistics'>, ask: Ask, publish: (message: LiveMessage) => void): () => void {
  let last = ''
  let isCounting = false
  let isDown = false
  return every(COUNT_MS, async () => {
    if (isCounting) return
    isCounting = true
    try {
      // The log gets the first failure of an outage only.
      const counts = toCounts(await (isDown ? inbox.statistics() : ask('inbox', () => inbox.statistics())))
      isDown = false
      const text = JSON.stringify(counts)
      if (text !== last) publish({ type: 'inbox', counts })
      last = text
    } catch {
      isDown = true
    } finally {
      isCounting = false
    }
  })
}

function watchAnswers(emulator: Pick<Emulator, 'answers'>, publish: (message: LiveMessage) => void): () => void {
  const readLast = () => emulator.answers.at(-1)?.id
  let last = readLast()
  return every(ANSWERS_MS, () => {
    const now = readLast()
    if (now !== last) publish({ type: 'answers' })
    last = now
  })
}

function every(ms: number, act: () => void): () => void {
  const timer = setInterval(act, ms)
  timer.unref()
  return () => clearInterval(timer)
}

function write(message: LiveMessage): string {
  return `event: ${message.type}\ndata: ${JSON.stringify(message)}\n\n`
}
