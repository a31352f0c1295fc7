/**
 * What the dashboard's page and its server say to each other: JSON over HTTP, below the path at which it is mounted.
 * Times are ISO 8601 in UTC.
 *
 * | call | answer |
 * |---|---|
 * | `GET api/setup` | {@link Setup} |
 * | `GET api/deliveries?{@link DeliveryFilter}` | {@link DeliveryPage} |
 * | `GET api/deliveries/{id}` | {@link DeliveryDetails} |
 * | `GET api/deliveries/{id}/body` | the document, as it was kept |
 * | `POST api/deliveries/{id}/send-again` | {@link SentCalls}: development only, signed anew |
 * | `POST api/deliveries/{id}/redeliver` | {@link Redelivered} |
 * | `GET api/inbox` | {@link InboxCounts} |
 * | `GET api/inbox/deliveries?{@link InboxFilter}` | {@link InboxPage} |
 * | `GET api/inbox/dead/{id}` | {@link DeadLetterDetails} |
 * | `POST api/inbox/retry`, `POST api/inbox/discard` with {@link DeadLetterChoice} | 202 and a {@link Job} |
 * | `GET api/jobs/{id}`, `DELETE api/jobs/{id}` | {@link Job}; the latter undoes what was not begun |
 * | `GET api/webhooks` | {@link Webhooks} |
 * | `GET api/webhooks/{id}/calls` | {@link CallPage} |
 * | `POST api/webhooks/{id}/reset` | {@link WebhookItem} |
 * | `GET api/holders` | {@link Holders} |
 * | `POST api/holders/{id}/reset` | {@link HolderItem}: closes all its circuits |
 * | `GET api/answers` | {@link AnswerPage}: development only, as the next three |
 * | `GET api/answers/{id}` | {@link AnswerDetails} |
 * | `POST api/answers` with {@link AskRequest} | {@link AnswerItem}: asks |
 * | `POST api/answers/{id}/ask-again` | {@link AnswerItem}: asks with the same document, signed anew |
 * | `GET api/plan` | {@link PlanSummary} |
 * | `GET api/trigger/{topic}` | {@link Sample}, also of a kind that can be asked for |
 * | `POST api/trigger` with {@link TriggerRequest} | {@link SentCalls} |
 * | `GET api/health?minutes=60` | {@link Health} |
 * | `GET api/live` | server-sent events: {@link LiveMessage} as `data`, its `type` as `event` |
 *
 * A call that fails is answered with {@link Problem}. A call that changes something is POST or DELETE and needs the
 * header `x-hooklayer-token` with the token of the page, which is in `<meta name="hooklayer-token">`.
 *
 * The page is answered at every path that is no call and no asset. `<meta name="hooklayer-base">` has the path at which
 * the dashboard is mounted, with a slash at its end: calls begin with it. The body of the page is `<div id="app">`.
 */

/** Why a call failed. */
export interface Problem {
  /** A sentence, and what to do. */
  readonly error: string
}

/** What this dashboard can show. The page leaves out what is not there. */
export interface Setup {
  readonly hasRecorder: boolean
  readonly hasInbox: boolean
  /** Through the API of Commerce Layer, or of the emulator. */
  readonly hasWebhooks: boolean
  /** Whether the webhooks can be compared with the handlers. */
  readonly hasPlan: boolean
  /** There is an emulator: deliveries can be triggered and sent again. */
  readonly isDevelopment: boolean
  readonly canRedeliver: boolean
  /** Topics that may be filtered by and triggered: the catalogue. */
  readonly topics: readonly string[]
  /** Topics with a handler or a webhook; these come first. */
  readonly knownTopics: readonly string[]
  /** What the emulator can ask the shop for: kinds of external resources. */
  readonly kinds: readonly string[]
}

/** One row of the list of deliveries. */
export interface DeliveryItem {
  readonly id: string
  readonly receivedAt: string
  readonly source: 'request' | 'inbox' | 'redelivery' | 'sender'
  readonly topic?: string
  readonly resource?: Resource
  readonly mode?: 'test' | 'live'
  readonly outcome: Outcome
  readonly code?: string
  readonly status?: number
  readonly durationMs: number
  readonly bodyBytes?: number
  readonly attempt?: number
  readonly attempts?: number
}

export type Outcome = 'handled' | 'queued' | 'duplicate' | 'ignored' | 'discarded' | 'failed' | 'refused'

export interface Resource {
  readonly type: string
  readonly id: string
  /** Of an order. */
  readonly number?: string
}

/** Query parameters; each may be left out. `outcome` may be a list with commas. */
export interface DeliveryFilter {
  readonly search?: string
  readonly topic?: string
  readonly outcome?: string
  readonly code?: string
  readonly since?: string
  readonly until?: string
  /** The id of the last row of the page before. */
  readonly before?: string
  readonly limit?: string
}

export interface DeliveryPage {
  /** The newest first. */
  readonly items: readonly DeliveryItem[]
  readonly hasMore: boolean
}

export interface DeliveryDetails extends DeliveryItem {
  readonly deliveryId?: string
  readonly eventId?: string
  readonly organizationId?: string
  readonly consecutiveFailures: number
  readonly error?: {
    readonly code: string
    /** What the code means. */
    readonly message: string
    /** What probably caused it, and what to do. */
    readonly hint?: string
    readonly cause?: string
  }
  readonly method?: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly stages: readonly { readonly name: string; readonly durationMs: number }[]
  readonly handlers: readonly {
    readonly name: string
    readonly outcome: 'handled' | 'failed' | 'discarded' | 'running'
    readonly durationMs: number
    readonly error?: string
  }[]
  /** Whether `body` can be got. */
  readonly hasBody: boolean
  readonly isMasked: boolean
  readonly difference?: { readonly offset: number; readonly received: string; readonly signed: string }
  /** The other attempts of this delivery, the newest first. */
  readonly otherAttempts: readonly DeliveryItem[]
  readonly canSendAgain: boolean
  readonly canRedeliver: boolean
}

/** The answers of the receiver. */
export interface SentCalls {
  readonly calls: readonly {
    readonly topic: string
    readonly status?: number
    readonly reason?: string
  }[]
}

export interface Redelivered {
  /** Of the receiver, or `failed`. */
  readonly outcome: string
  /** Only if it failed. */
  readonly error?: { readonly code: string; readonly message: string; readonly cause?: string }
}

interface Counts {
  readonly queued: number
  readonly running: number
  readonly failed: number
  readonly unhandled: number
  readonly dead: number
}

export interface InboxCounts extends Counts {
  readonly oldest?: string
  readonly byTopic: Readonly<Record<string, Counts>>
}

export type InboxState = keyof Counts

/** Query parameters; each may be left out. `state` may be a list with commas. */
export interface InboxFilter {
  readonly state?: string
  readonly topic?: string
  readonly code?: string
  readonly search?: string
  /** The id of the last row of the page before. */
  readonly after?: string
  readonly limit?: string
}

export interface InboxItem {
  readonly id: string
  readonly topic: string
  readonly state: InboxState
  readonly receivedAt: string
  readonly attempts: number
  readonly maxAttempts?: number
  readonly nextAttemptAt?: string
  readonly failedAt?: string
  readonly resource?: Resource
  readonly error?: InboxError
}

export interface InboxError {
  readonly code: string
  readonly message: string
  readonly handler?: string
  readonly cause?: string
}

export interface InboxPage {
  readonly items: readonly InboxItem[]
  readonly hasMore: boolean
}

export interface DeadLetterDetails extends InboxItem {
  /** The document as it is stored, masked unless the dashboard was told otherwise; absent if it cannot be read. */
  readonly document?: unknown
  readonly isMasked: boolean
  readonly bodyBytes: number
}

/** Which dead letters: some by id, those that match a filter, or all. */
export type DeadLetterChoice =
  | { readonly ids: readonly string[] }
  | { readonly filter: { readonly topic?: string; readonly code?: string } }
  | { readonly all: true }

/** Work on many dead letters. It goes on when the page is closed. */
export interface Job {
  readonly id: string
  readonly kind: 'retry' | 'discard'
  /** `waiting`: it may still be undone. */
  readonly state: 'waiting' | 'running' | 'done' | 'undone' | 'failed'
  readonly done: number
  readonly total: number
  /** When it begins. A discard waits ten seconds. */
  readonly startsAt: string
  readonly error?: string
}

export interface WebhookItem {
  readonly id: string
  readonly topic: string
  readonly callbackUrl: string
  readonly circuit: 'closed' | 'open'
  readonly failures: number
  readonly failuresLeft: number
  readonly disabled: boolean
  readonly lastHour: { readonly calls: number; readonly share: number }
}

export interface Webhooks {
  readonly items: readonly WebhookItem[]
}

export interface CallItem {
  readonly id: string
  readonly createdAt: string
  readonly status?: number
  readonly reason?: string
  readonly topic?: string
}

export interface CallPage {
  readonly items: readonly CallItem[]
}

/** The holder of an external resource: a market, shipping method, promotion or tax calculator. */
export interface HolderItem {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly url: string
  /**
   * Of a market those of line items and orders: the ones of the emulator that count failures, the most first. Others
   * have one.
   */
  readonly circuits: readonly HolderCircuit[]
}

export interface HolderCircuit {
  /** What it is of, unless it is that of the holder. */
  readonly resource?: Resource
  readonly state: 'closed' | 'open'
  readonly failures: number
  readonly failuresLeft: number
}

export interface Holders {
  readonly items: readonly HolderItem[]
  /** There are more, which were not read. */
  readonly hasMore: boolean
}

/** One row of the list of answers: what the shop was asked for, and what Commerce Layer makes of its answer. */
export interface AnswerItem {
  readonly id: string
  readonly askedAt: string
  readonly kind: string
  /** That of the holder. */
  readonly url: string
  readonly resource: Resource
  readonly outcome: AnswerOutcome
  readonly status?: number
  readonly durationMs: number
  /** The beginning of `data` as JSON, if it was accepted. */
  readonly data?: string
  /** What is wrong, or why there was no answer. */
  readonly problem?: string
  /** What the shop says of a refusal or of an error of its own. */
  readonly error?: { readonly code: string; readonly message: string }
  /** What Commerce Layer does without an answer. */
  readonly fallback?: string
}

export type AnswerOutcome = 'accepted' | 'refused' | 'malformed' | 'unanswered' | 'skipped'

export interface AnswerPage {
  /** The newest first. */
  readonly items: readonly AnswerItem[]
  /** There are older ones, which are not listed. */
  readonly hasMore: boolean
}

export interface AnswerDetails extends AnswerItem {
  /** The document that was sent; absent if it cannot be shown. */
  readonly request?: unknown
  /** The body of the answer. */
  readonly text: string
  readonly isMasked: boolean
  /** With its circuits as they are now: that of the resource only. */
  readonly holder: HolderItem
}

export interface AskRequest {
  readonly kind: string
  /** Default: the last holder of the kind. */
  readonly holderId?: string
  /** Changes to the sample. With `type` and `id` it is a whole resource, which is sent as it is. */
  readonly resource?: Readonly<Record<string, unknown>>
}

/** What `hooklayer webhooks apply` would do. */
export interface PlanSummary {
  readonly callbackUrl: string
  readonly steps: readonly {
    /** `reset` closes the circuit of the webhook. */
    readonly action: 'create' | 'update' | 'enable' | 'reset' | 'delete'
    readonly text: string
  }[]
  /** Warnings, one sentence each. */
  readonly notes: readonly string[]
}

/** The sample of a topic, as the webhooks would get it. */
export interface Sample {
  readonly topic: string
  /** In the shape of the SDK. A resource inside of itself has only `type` and `id`. */
  readonly resource: Readonly<Record<string, unknown>>
}

export interface TriggerRequest {
  readonly topic: string
  /** Changes to the sample. With `type` and `id` it is a whole resource, which is sent as it is. */
  readonly resource?: Readonly<Record<string, unknown>>
  /** 1 to 100; default 1. */
  readonly times?: number
  readonly fault?: FaultName
}

export type FaultName = 'duplicate' | 'reorder' | 'wrong-signature' | 'other-topic' | 'slow' | 'cut'

export interface Health {
  readonly startedAt: string
  readonly spanMs: number
  readonly spans: readonly {
    readonly startedAt: string
    readonly outcomes: Readonly<Partial<Record<Outcome, number>>>
    readonly codes: Readonly<Record<string, number>>
    readonly p50?: number
    readonly p99?: number
  }[]
  /** Attempts that could not be recorded. */
  readonly missed: number
  readonly records: number
  /** Topics whose last deliveries failed in a row, the nearest to 30 first. */
  readonly streaks: readonly { readonly topic: string; readonly failures: number; readonly failuresLeft: number }[]
}

/** What the page is told without asking. After `gap` it asks again for what it shows. */
export type LiveMessage =
  /** The newest first. */
  | { readonly type: 'deliveries'; readonly items: readonly DeliveryItem[] }
  | { readonly type: 'inbox'; readonly counts: InboxCounts }
  | { readonly type: 'job'; readonly job: Job }
  /** There are new ones. */
  | { readonly type: 'answers' }
  | { readonly type: 'gap' }
