import { join } from 'node:path'
import type { Inbox } from 'hooklayer'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createTable, type Destination, openFiles } from './destination.ts'
import { createEffects, type Effects } from './effects.ts'
import type { Role } from './killing.ts'
import { createShopName, type Places } from './places.ts'
import { findSteadyPort } from './ports.ts'
import { openSender, type Sender, type SentOrder } from './sender.ts'
import type { Settings, Stage } from './shop/settings.ts'

/** How the processes of a shop share the work. */
export interface Plan {
  readonly name: string
  readonly engine: Settings['engine']
  readonly fence: NonNullable<Settings['fence']>
  readonly roles: readonly {
    /** The settings of this process only. Any `port` stands for the port that all events are sent to. */
    readonly does: Partial<Settings>
    readonly stages: readonly Stage[]
  }[]
}

/** A shop whose processes are killed, its sender, and its destination. */
export interface KilledShop {
  readonly effects: Effects
  readonly sender: Sender
  readonly destination: Destination
  readonly roles: readonly Role[]
  /** Numbers of all events that were sent. */
  readonly sent: ReadonlySet<number>
  /** Resolves with the status of the first call. */
  send(number: number): Promise<number | undefined>
  /** Sends one to three new events, and sometimes an old one. Resolves when each was sent once. */
  sendSome(draw: () => number): Promise<unknown>
  /** When each event was first answered as handled. Empty with an inbox, which answers earlier. */
  recordedAt(): Map<number, number>
  /** What is not done yet: the numbers of events, and the states of deliveries in the inbox. */
  rest(): Promise<(number | string)[]>
  close(): Promise<void>
}

/** How often an old event is sent again. */
const OLD = 0.4

export async function openKilledShop({ engine, fence, roles }: Plan, places: Places): Promise<KilledShop> {
  const effects = createEffects()
  const [port, name, place] = [await findSteadyPort(), createShopName(), places.of(engine, effects)]
  const sender = await openSender(port, { retryDelayMs: (attempt) => Math.min(100 * attempt, 400) })
  sender.keepCircuitsClosed()
  const destination = fence === 'file' ? openFiles(effects) : await createTable(places.postgres, name)
  const all = { secrets: sender.secrets, engine, place, name, effects: effects.file, fence, handlerMs: 5 }
  const inbox = roles.some(({ does }) => does.inbox) ? openInbox(engine, place, name) : undefined
  const sent = new Set<number>()
  const send = (number: number) => sender.send(number, describeOrder(number))
  return {
    effects,
    sender,
    destination,
    sent,
    send,
    roles: roles.map(({ does, stages }) => ({
      stages,
      settings: { ...all, ...does, ...(does.port !== undefined && { port }) },
    })),
    sendSome(draw) {
      const count = 1 + Math.floor(draw() * 3)
      const [chance, which] = [draw(), draw()]
      const old = chance < OLD && sent.size > 0 ? [Math.floor(which * sent.size)] : []
      const fresh = Array.from({ length: count }, (_, at) => sent.size + at)
      for (const number of fresh) sent.add(number)
      return Promise.all([...fresh, ...old].map(send))
    },
    recordedAt: () => (inbox ? new Map() : firstHandled(sender)),
    rest: async () => [...unfinished(sent, effects), ...(inbox ? await listStates(inbox) : [])],
    async close() {
      await inbox?.close()
      await sender.close()
      await destination.close()
      effects.remove()
    },
  }
}

function firstHandled(sender: Sender): Map<number, number> {
  const first = new Map<number, number>()
  for (const { number, status, ended } of sender.calls()) {
    if (status === 200) first.set(number, Math.min(ended, first.get(number) ?? ended))
  }
  return first
}

function unfinished(sent: ReadonlySet<number>, effects: Effects): number[] {
  const done = effects.counts()
  return [...sent].filter((number) => !done.has(number))
}

async function listStates(inbox: Inbox): Promise<string[]> {
  const { queued, running, failed, dead } = await inbox.statistics()
  return Object.entries({ queued, running, failed, dead }).flatMap(([state, count]) =>
    count > 0 ? `${count} ${state}` : [],
  )
}

function openInbox(engine: Settings['engine'], place: string, name: string): Inbox {
  return engine === 'sqlite'
    ? createSqliteInbox({ file: join(place, 'deliveries.db') })
    : createBullmqInbox({ [engine]: place, name })
}

/** Events of both sizes: an order is six times as large as a customer. */
export function describeOrder(number: number): SentOrder {
  return { topic: number % 4 === 0 ? 'orders.place' : 'customers.create' }
}
