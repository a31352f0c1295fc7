/** The settings of a shop's process, passed as JSON. */
export interface Settings {
  /** The secrets of the webhooks, by topic. */
  readonly secrets: Readonly<Record<string, string>>
  readonly engine: 'sqlite' | 'redis' | 'postgres'
  /** Where the engine is: a URL, or the folder that holds the files. */
  readonly place: string
  /** The file to which the handlers write their effects. */
  readonly effects: string
  /** The name of the shop's queues, keys and tables on a shared engine. Default: `hooklayer`. */
  readonly name?: string
  /** The port, 0 for any. Without it the process receives nothing. */
  readonly port?: number
  /** Uses an idempotency store. */
  readonly idempotency?: { readonly leaseMs?: number; readonly retentionMs?: number; readonly stale?: 'run' | 'skip' }
  /** The topics that have a handler. Default: all. */
  readonly topics?: readonly string[]
  /** Uses an inbox: the receiver stores deliveries. */
  readonly inbox?: { readonly leaseMs?: number; readonly maxQueued?: number }
  /** Starts a worker. */
  readonly worker?: {
    readonly concurrency?: number
    readonly attempts?: number
    readonly backoffMs?: number
    readonly maxBackoffMs?: number
  }
  /** More options of the receiver. */
  readonly receiver?: {
    readonly deadlineMs?: number
    readonly ordering?: 'resource'
    readonly inboxMode?: 'always' | 'on-failures'
  }
  /** How long a handler runs before its effect. */
  readonly handlerMs?: number
  /** Handlers fail while this file exists. */
  readonly brokenWhile?: string
  /** Handlers ignore their signal. */
  readonly ignoresSignal?: boolean
  /**
   * Effects go to a destination that accepts an event id once: a link in the folder `<effects>.fenced`, or a row of the
   * table `<name>_effects`, in one transaction with a reservation of the event.
   */
  readonly fence?: 'file' | 'transaction'
  /** Where the process kills itself. */
  readonly stage?: Stage
  /** On which visit of the stage it kills itself. Default: 1. */
  readonly visit?: number
}

export const INLINE_STAGES = [
  'before-reserve',
  'after-reserve',
  'in-handler',
  'after-effect',
  'before-complete',
  'after-complete',
] as const

export const DEFERRED_STAGES = [
  'before-put',
  'after-put',
  'before-work',
  'in-handler',
  'after-effect',
  'after-work',
] as const

/** Of a handler with `fence: 'transaction'`. */
export const TRANSACTION_STAGES = ['within-transaction', 'before-commit'] as const

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
