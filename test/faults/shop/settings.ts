/** What a shop's process is told when it starts; travels as JSON. */
export interface Settings {
  /** The secrets of the webhooks, by topic. */
  readonly secrets: Readonly<Record<string, string>>
  readonly engine: 'sqlite' | 'redis' | 'postgres'
  /** Where the engine is: a URL, or the folder that holds the files. */
  readonly place: string
  /** The file to which the handlers write what they have done. */
  readonly effects: string
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
    readonly protectBreaker?: boolean
  }
  /** How long a handler works before it has its effect. */
  readonly handlerMs?: number
  /** Where the process kills itself, the first time it comes there. */
  readonly stage?: Stage
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

export type Stage = (typeof INLINE_STAGES)[number] | (typeof DEFERRED_STAGES)[number]

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
}
