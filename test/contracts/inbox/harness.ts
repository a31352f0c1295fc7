import type { Inbox, Worker } from 'hooklayer'
import type { ConsumeOptions, DeliveryAttempt, ProcessDelivery, StoredDelivery } from 'hooklayer/drivers'
import { expect, onTestFinished, vi } from 'vitest'

/** Where an engine keeps the deliveries of one test: empty at first. */
export interface Place {
  /** An inbox on it; another each time, as another process would have. */
  open(options?: { readonly maxQueued?: number; readonly retentionMs?: number }): Inbox | Promise<Inbox>
  /** Removes what is left, when all inboxes are closed. */
  end?(): unknown
}

export interface InboxSuite {
  readonly start: () => Place | Promise<Place>
  /** How long an engine may take for what it does in the end. */
  readonly patienceMs: number
  readonly isDurable: boolean
}

export interface Scene {
  /** Opens an inbox, to be closed when the test has finished. */
  open: Place['open']
  /** Consumes until the test has finished, if not stopped before. */
  consume(inbox: Inbox, process: ProcessDelivery, options?: Partial<ConsumeOptions>): Worker
  /** Waits until it does not throw any more. */
  eventually(check: () => unknown): Promise<void>
}

const OPTIONS = { concurrency: 4, concurrencyByTopic: {}, attempts: 3, delayMs: () => 20 }

export async function createScene({ start, patienceMs }: InboxSuite): Promise<Scene> {
  const place = await start()
  const inboxes: Inbox[] = []
  const consumers: Worker[] = []
  const errors: unknown[] = []
  onTestFinished(async () => {
    await Promise.all(consumers.map((consumer) => consumer.stop({ timeoutMs: 0 })))
    await Promise.all(inboxes.map((inbox) => inbox.close()))
    await place.end?.()
    expect(errors).toEqual([])
  })
  return {
    async open(options) {
      const inbox = await place.open(options)
      inboxes.push(inbox)
      return inbox
    },
    consume(inbox, process, options) {
      const onError = (error: unknown) => errors.push(error)
      const consumer = inbox.consume(process, { ...OPTIONS, onError, ...options })
      consumers.push(consumer)
      return consumer
    },
    eventually: (check) => vi.waitFor(async () => void (await check()), { timeout: patienceMs, interval: 10 }),
  }
}

/** As the receiver makes them: the id is a digest, and so is this. */
export function stored(name: string, changes: Partial<StoredDelivery> = {}): StoredDelivery {
  return {
    id: name,
    topic: 'orders.place',
    body: new TextEncoder().encode(`{"data":"${name}"}`),
    receivedAt: new Date(),
    group: undefined,
    ...changes,
  }
}

export function several(count: number, name: string, changes: Partial<StoredDelivery> = {}): StoredDelivery[] {
  return Array.from({ length: count }, (_, at) => stored(`${name}-${at}`, changes))
}

/** One after another, so that their order is known. */
export async function putAll(inbox: Inbox, deliveries: readonly StoredDelivery[]): Promise<void> {
  for (const delivery of deliveries) expect(await inbox.put(delivery)).toBe('stored')
}

export interface Recording {
  readonly process: ProcessDelivery
  /** Ids, in the order in which they were handed out. */
  readonly started: string[]
  readonly ended: string[]
  /** The most that ran at once, by topic and by group, and of all. */
  readonly peak: Map<string, number>
}

/** Handles deliveries as it is told, and takes notes. */
export function recording(
  handle: (delivery: StoredDelivery, attempt: DeliveryAttempt) => unknown = () => {},
): Recording {
  const running = new Map<string, number>()
  const peak = new Map<string, number>()
  const started: string[] = []
  const ended: string[] = []
  const count = (keys: readonly string[], change: number) => {
    for (const key of keys) {
      const now = (running.get(key) ?? 0) + change
      running.set(key, now)
      peak.set(key, Math.max(now, peak.get(key) ?? 0))
    }
  }
  async function process(delivery: StoredDelivery, attempt: DeliveryAttempt): Promise<void> {
    const keys = ['all', delivery.topic, delivery.group ?? 'no group']
    started.push(delivery.id)
    count(keys, 1)
    try {
      await handle(delivery, attempt)
      ended.push(delivery.id)
    } finally {
      count(keys, -1)
    }
  }
  return { process, started, ended, peak }
}

/** Something to wait for. */
export function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

export async function deadLettersOf(inbox: Inbox, ...filter: Parameters<Inbox['deadLetters']['list']>) {
  const letters = []
  for await (const letter of inbox.deadLetters.list(...filter)) letters.push(letter)
  return letters
}
