import type { Inbox, Worker } from 'hooklayer'
import type { ConsumeOptions, DeliveryAttempt, ProcessDelivery, StoredDelivery } from 'hooklayer/drivers'
import { expect, onTestFinished, vi } from 'vitest'

/** The options that a suite opens an inbox with. */
export interface InboxPlaceOptions {
  readonly maxQueued?: number | undefined
  readonly retentionMs?: number | undefined
  readonly maxUnhandled?: number | undefined
  readonly unhandledMs?: number | undefined
  readonly deadLetterRetentionMs?: number | undefined
}

/** The storage of one test on an engine, empty at first. */
export interface InboxPlace {
  /** Opens an inbox on it; another one each time, as in another process. */
  open(options?: InboxPlaceOptions): Inbox | Promise<Inbox>
  /** Removes the data after all inboxes were closed. */
  end?(): unknown
}

export interface InboxSuite {
  readonly start: () => InboxPlace | Promise<InboxPlace>
  /** How long to wait for an expected state. */
  readonly timeoutMs: number
  readonly isDurable: boolean
}

export interface Scene {
  /** Opens an inbox, which is closed when the test has finished. */
  open: InboxPlace['open']
  /** Starts a worker, which is stopped when the test has finished. */
  consume(inbox: Inbox, process: ProcessDelivery, options?: Partial<ConsumeOptions>): Worker
  /** Waits until the check does not throw any more. */
  waitFor(check: () => unknown): Promise<void>
}

const OPTIONS = { concurrency: 4, concurrencyByTopic: {}, attempts: 3, delayMs: () => 20 }

export async function createScene({ start, timeoutMs }: InboxSuite): Promise<Scene> {
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
    waitFor: (check) => vi.waitFor(async () => void (await check()), { timeout: timeoutMs, interval: 10 }),
  }
}

/** A delivery as the receiver stores it. */
export function createStored(name: string, changes: Partial<StoredDelivery> = {}): StoredDelivery {
  return {
    id: name,
    topic: 'orders.place',
    body: new TextEncoder().encode(`{"data":"${name}"}`),
    receivedAt: new Date(),
    group: undefined,
    ...changes,
  }
}

export function createSeveral(count: number, name: string, changes: Partial<StoredDelivery> = {}): StoredDelivery[] {
  return Array.from({ length: count }, (_, at) => createStored(`${name}-${at}`, changes))
}

/** Stores deliveries one after another, so that their order is known. */
export async function putAll(inbox: Inbox, deliveries: readonly StoredDelivery[]): Promise<void> {
  for (const delivery of deliveries) expect(await inbox.put(delivery)).toBe('stored')
}

export interface Recording {
  readonly process: ProcessDelivery
  /** Ids in the order in which their handlers started. */
  readonly started: string[]
  readonly ended: string[]
  /** The most handlers that ran at once, by topic, by group, and under `all`. */
  readonly peak: Map<string, number>
}

/** Handles deliveries with `handle` and records what happens. */
export function createRecording(
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

/** A promise that is resolved from outside. */
export function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

export async function listDeadLetters(inbox: Inbox, ...filter: Parameters<Inbox['deadLetters']['list']>) {
  const deadLetters = []
  for await (const deadLetter of inbox.deadLetters.list(...filter)) deadLetters.push(deadLetter)
  return deadLetters
}
