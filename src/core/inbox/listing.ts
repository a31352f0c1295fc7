/** How many deliveries an inbox holds, by state. */
export interface DeliveryCounts {
  /** Ready for an attempt, and waiting for a worker. */
  readonly queued: number
  /** Being handled by a worker. */
  readonly running: number
  /** Waiting for the pause before their next attempt to end. */
  readonly failed: number
  /** Set aside by a worker that has no handler for the topic, and waiting for one that has. */
  readonly unhandled: number
  /** Dead letters. */
  readonly dead: number
}

/** The states of a delivery in an inbox, in the words of `statistics()`. */
export type DeliveryState = keyof DeliveryCounts

/** Why the last attempt for a delivery failed. */
export interface DeliveryError {
  readonly code: string
  readonly message: string
  /** The name of the handler that failed, or the names of several. */
  readonly handler?: string | undefined
  /** What the handler's error said: at most 2,000 characters, in which addresses, numbers and tokens are masked. */
  readonly cause?: string | undefined
}

/** Names a resource. */
export interface ResourceReference {
  readonly type: string
  readonly id: string
  /** Of an order. */
  readonly number?: string | undefined
}

/** A delivery that was not handled yet, as `inbox.list` shows it. It has nothing of the payload but its resource. */
export interface ListedDelivery {
  readonly id: string
  readonly topic: string
  readonly state: DeliveryState
  readonly receivedAt: Date
  /** Milliseconds since it was received. */
  readonly ageMs: number
  /** How many attempts have started. Those that do not count are left out: see `Failure.excused`. */
  readonly attempts: number
  /** After how many failed attempts it becomes a dead letter; absent until an attempt has failed. */
  readonly maxAttempts?: number | undefined
  /** When the next attempt may start. Only with the state `failed`. */
  readonly nextAttemptAt?: Date | undefined
  /** When it became a dead letter. Only with the state `dead`. */
  readonly failedAt?: Date | undefined
  /** Why the last attempt failed, as dead letters keep it; absent until one has failed. */
  readonly error?: DeliveryError | undefined
  /** Absent until an attempt has failed, because bodies are not read before. */
  readonly resource?: ResourceReference | undefined
}

/**
 * Which deliveries to list. All members are optional, and one that is `undefined` counts as not given; those that are
 * given must all match.
 */
export interface DeliveryQuery {
  /** One state, or several. */
  readonly state?: DeliveryState | readonly DeliveryState[] | undefined
  /** Such as `orders.place`. */
  readonly topic?: string | undefined
  /** The code of the last error, such as `HANDLER_FAILED`. */
  readonly code?: string | undefined
  /** A resource that the delivery carries: its own, or an included one. */
  readonly resource?: ResourceReference | undefined
  /** Received at least so many milliseconds ago. */
  readonly olderThanMs?: number | undefined
  /**
   * The number of an order, an email address, or the id of a resource or of the delivery; the whole of it, in upper or
   * lower case. Included resources are searched too.
   */
  readonly search?: string | undefined
  /** Continues after this delivery, the last one of an earlier iteration. From the beginning if its id is not known. */
  readonly after?: { readonly id: string } | undefined
  /** Ends the iteration, which rejects with the reason. */
  readonly signal?: AbortSignal | undefined
}

/** How many deliveries were erased, by the state that they were in. */
export interface ErasedDeliveries extends Omit<DeliveryCounts, 'running'> {
  /** How many were being handled. They were not erased: erase again when they have ended. */
  readonly running: number
}
