import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { createEffects, type Effects } from '../effects.ts'
import { findSteadyPort } from '../ports.ts'
import { openSender, type Sender } from '../sender.ts'
import type { Settings } from '../shop/settings.ts'
import { type ShopProcess, startShop } from '../shop-process.ts'

/** What the file of a shop holds. */
export type Kind = keyof typeof KINDS

const KINDS = {
  inbox: { name: 'deliveries.db', settings: { inbox: {} }, accepted: 202 },
  store: { name: 'store.db', settings: { idempotency: {} }, accepted: 200 },
} as const

export interface Scene extends Pick<Sender, 'send' | 'settled'> {
  readonly effects: Effects
  /** The status of an accepted delivery. */
  readonly accepted: number
  getFile(folder: string): string
  /** Starts a process that receives, and handles events if it has no inbox. */
  receive(folder: string, more?: Partial<Settings>): Promise<ShopProcess>
  /** Starts a process that handles what an inbox has stored. */
  work(folder: string, more?: Partial<Settings>): Promise<ShopProcess>
  /** Sends these events one after another. Resolves with the statuses. */
  sendAll(numbers: readonly number[]): Promise<(number | undefined)[]>
  /** Waits until each of these events, and no other, took effect once. */
  isDone(numbers: readonly number[]): Promise<void>
}

/** A sender, and processes of a shop that listen on the same port one after another. */
export async function openScene(
  kind: Kind,
  onTestFinished: (end: () => Promise<void>) => void,
  { retries = 100 } = {},
): Promise<Scene> {
  const { name, settings, accepted } = KINDS[kind]
  const effects = createEffects()
  const port = await findSteadyPort()
  const sender = await openSender(port, { retries, retryDelayMs: () => 250 })
  sender.keepCircuitsClosed()
  onTestFinished(async () => {
    await sender.close()
    effects.remove()
  })
  const shared = { secrets: sender.secrets, engine: 'sqlite', effects: effects.file } as const
  const send = (number: number) => sender.send(number, { topic: 'customers.create' })
  return {
    effects,
    accepted,
    send,
    settled: sender.settled,
    getFile: (folder) => join(folder, name),
    receive: (place, more) => startShop({ ...shared, ...settings, place, port, ...more }),
    work: (place, more) => startShop({ ...shared, inbox: {}, worker: { backoffMs: 50 }, place, ...more }),
    async sendAll(numbers) {
      const answers = []
      for (const number of numbers) answers.push(await send(number))
      return answers
    },
    isDone: (numbers) =>
      vi.waitFor(() => expect(effects.counts()).toEqual(new Map(numbers.map((number) => [number, 1]))), {
        timeout: 30_000,
        interval: 20,
      }),
  }
}

/** Whole numbers from `first` on. */
export const createNumbers = (count: number, first = 0): number[] =>
  Array.from({ length: count }, (_, at) => first + at)
