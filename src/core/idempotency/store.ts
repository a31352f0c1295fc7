import type { StoredResource } from './stored-resource.ts'

/**
 * Records which events were handled and which are being handled now, so that each event is handled once. A driver needs
 * only atomic operations on one key: each method is one round trip. Every time is by the store's own clock, never by
 * the process's.
 *
 * Keys are text of up to 1 KB without `\0`, names of handlers are text without `\0`. A key always comes with the same
 * resource, or always without one.
 *
 * A method that cannot tell whether it succeeded rejects. The receiver then answers 503 and runs no handler.
 *
 * @see docs/reliability.md
 */
export interface IdempotencyStore {
  /**
   * Reserves a key for `leaseMs`. A reservation whose lease has run out is taken over: the new one gets another token,
   * and the old token has no effect any more. Until it is taken over, an expired reservation still belongs to its
   * holder. The names in `done` of an abandoned reservation are kept for at least a day.
   */
  reserve(key: string, options: ReserveOptions): Promise<Reservation>
  /** Starts the lease again and adds to the names that are done; false if the token no longer holds the reservation. */
  renew(key: string, token: string, options: RenewOptions): Promise<boolean>
  /**
   * Marks the key as completed for `retentionMs` and adds to the names that are done; false if the token no longer holds
   * the reservation.
   */
  complete(key: string, token: string, options: CompleteOptions): Promise<boolean>
  /**
   * Ends the reservation and keeps the names that are done for the next one; false if the token no longer holds the
   * reservation. A key that was completed before stays completed, for at least as long as it was to be.
   */
  release(key: string, token: string, options: ReleaseOptions): Promise<boolean>
  /**
   * Counts consecutive failures of a topic over all processes, for warnings that its circuit may open soon. `add`
   * counts one more, `reset` starts anew, `read` changes nothing. Resolves with the number then. A topic for which
   * nothing was added for a day has 0. Without this method each process counts its own failures.
   */
  countFailures?(topic: string, change: 'add' | 'reset' | 'read'): Promise<number>
}

/** A store that can also erase what it keeps of a resource, as the stores of this package can. */
export interface ErasableStore extends IdempotencyStore {
  /**
   * Deletes the version of a resource, which names it. Keys of events and names of handlers stay, so that a copy that
   * is sent again does not run; they have nothing of the payload. Erase when no event of the resource is being handled:
   * its completion would store the version again. Afterwards an older event of the resource is not found to be stale.
   *
   * @throws TypeError if there is no `type` or no `id`.
   * @example
   * const { versions } = await store.erase({ type: 'orders', id: 'NrlYhpzLKA' })
   * @see docs/data.md
   */
  erase(resource: StoredResource): Promise<ErasedRecords>
}

/** What was erased. */
export interface ErasedRecords {
  /** How many versions of the resource were stored: 0 or 1. */
  readonly versions: number
}

/** The version of a resource. It tells whether a newer event of the same resource was handled before. */
export interface ResourceVersion {
  /** `{type}/{id}`, e.g. `orders/OeRyhjDlje`. */
  readonly resource: string
  /**
   * `updated_at` as it was sent: ISO 8601 in UTC with milliseconds, so that the order of the texts is the order in
   * time.
   */
  readonly updatedAt: string
}

export interface ReserveOptions {
  /** Milliseconds after which the reservation may be taken over, unless it is renewed. */
  readonly leaseMs: number
  /** The version of the event's resource; `undefined` if the event has none. */
  readonly version: ResourceVersion | undefined
  /**
   * Names that have to be done. A completed key is reserved again if one of them is not, unless the key was completed
   * without names. A store that does not know this field answers `completed`. Default: none.
   */
  readonly names?: readonly string[] | undefined
}

export interface RenewOptions {
  /** Milliseconds from now after which the reservation may be taken over. */
  readonly leaseMs: number
  /** Names of handlers that have succeeded. Names that were given before stay recorded. */
  readonly done: readonly string[]
}

export interface CompleteOptions {
  /** Milliseconds for which the key stays completed and the resource's version stays recorded. */
  readonly retentionMs: number
  /** The same version as in `reserve`. It is recorded as handled unless a newer one is. */
  readonly version: ResourceVersion | undefined
  /** Names that are done, besides those that were given before. Default: the key is completed whatever the names. */
  readonly done?: readonly string[] | undefined
}

export interface ReleaseOptions {
  /** Names of handlers that have succeeded. Names that were given before stay recorded. */
  readonly done: readonly string[]
  /** Milliseconds for which the names that are done stay recorded. */
  readonly retentionMs: number
}

/** The answer of `reserve`: the key is reserved for the caller, being handled by somebody else, or completed. */
export type Reservation =
  | {
      readonly state: 'reserved'
      /** Unique among all reservations that were ever made. */
      readonly token: string
      /** Names of the handlers that have succeeded under earlier reservations. */
      readonly done: readonly string[]
      /** Whether a newer version of the same resource was completed. */
      readonly stale: boolean
      /** Whether the key was completed before, without some of the `names`. Default: false. */
      readonly wasCompleted?: boolean | undefined
    }
  | { readonly state: 'in-progress' }
  | { readonly state: 'completed' }
