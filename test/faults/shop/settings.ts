/** What a shop's process is told when it starts; travels as JSON. */
export interface Settings {
  /** The secrets of the webhooks, by topic. */
  readonly secrets: Readonly<Record<string, string>>
  readonly engine: 'sqlite' | 'redis' | 'postgres'
  /** Where the engine is: a URL, or the folder that holds the files. */
  readonly place: string
  /** The file to which the handlers write what they have done. */
  readonly effects: string
  /** By which an engine that is shared knows what is of this shop: queues, keys and tables. Default: `hooklayer`. */
  readonly name?: string
  /** Where it listens, 0 being anywhere; without it the process receives nothing. */
  readonly port?: number
  /** Keeps an idempotency store. */
  readonly idempotency?: { readonly leaseMs?: number; readonly retentionMs?: number; readonly stale?: 'run' | 'skip' }
  /** Has an inbox: a receiver stores, and does not handle. */
  readonly inbox?: { readonly leaseMs?: number; readonly maxQueued?: number }
  /** Works off the inbox. */
  readonly worker?: { readonly concurrency?: number; readonly attempts?: number; readonly backoffMs?: number }
  /** More options of the receiver. */
  readonly receiver?: {
    readonly deadlineMs?: number
    readonly ordering?: 'resource'
    readonly inboxMode?: 'always' | 'on-failures'
  }
  /** How long a handler works before it has its effect. */
  readonly handlerMs?: number
  /** Handlers fail as long as there is a file of that path. */
  readonly brokenWhile?: string
  /** Handlers go on when they are told to stop. */
  readonly ignoresSignal?: boolean
  /**
   * Effects go to a destination that knows an event by its id: a link of that name in the folder `<effects>.fenced`, or a row of the
   * table `<name>_effects`, in one transaction with a claim on the event.
   */
  readonly fence?: 'file' | 'transaction'
  /** Where the process kills itself, the first time it comes there. */
  readonly stage?: Stage
  /** Not the first time, but the one of this number. */
  readonly visit?: number
}

export const INLINE_STAGES = [
  'before reserve',
  'after reserve',
  'in the handler',
  'after the effect',
  'before complete',
  'after complete',
] as const

export const DEFERRED_STAGES = [
  'before put',
  'after put',
  'before the work',
  'in the handler',
  'after the effect',
  'after the work',
] as const

/** Of a handler with `fence: 'transaction'`. */
export const TRANSACTION_STAGES = ['within the transaction', 'before the commit'] as const

export type Stage = (typeof INLINE_STAGES | typeof DEFERRED_STAGES | typeof TRANSACTION_STAGES)[number]

/** A line that a handler has written. */
export interface Line {
  readonly what: 'begin' | 'effect' | 'aborted'
  /** `event.id`. */
  readonly event: string
  /** `delivery.id`. */
  readonly delivery: string
  readonly topic: string
  /** `id` of the resource. */
  readonly resource: string
  /** `updated_at` of the resource. */
  readonly updatedAt: string
  /** `metadata.number` of the resource: how the test counts its events. */
  readonly number: number
  readonly stale: boolean
  readonly pid: number
  /** When it was written, in milliseconds since 1970. */
  readonly time: number
}
