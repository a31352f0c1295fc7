/**
 * Remembers which events were handled, and who is handling one right now. A driver needs nothing but atomic operations on one
 * key: each method is one round trip. Every time is by the store's own clock, never by the process's.
 *
 * Keys and names are any text without `\0`, keys of up to 1 KB. A key always comes with the same resource, or always without.
 *
 * A method that cannot say what happened rejects; the receiver then answers 503 and runs nothing.
 */
export interface IdempotencyStore {
  /**
   * Claims a key for `leaseMs`. A claim whose lease has run out is taken over: the new one has another token, and the old token
   * can do nothing any more. Until somebody does, it is still its holder's, and its names that are done are remembered for a
   * day at least.
   */
  reserve(key: string, claim: ReserveOptions): Promise<Reservation>
  /** Begins the lease anew and adds to the names that are done; false if the token no longer holds the claim. */
  renew(key: string, token: string, progress: RenewOptions): Promise<boolean>
  /** Remembers the key as completed for `retentionMs`; false if the token no longer holds the claim. */
  complete(key: string, token: string, completion: CompleteOptions): Promise<boolean>
  /** Gives the claim up, and remembers the names that are done for whoever claims next; false if the token no longer holds it. */
  release(key: string, token: string, rest: ReleaseOptions): Promise<boolean>
}

/** The version of a resource, to tell an event that was overtaken by a newer one of the same resource. */
export interface ResourceVersion {
  /** `{type}/{id}`, e.g. `orders/OeRyhjDlje`. */
  readonly resource: string
  /** `updated_at` as it was sent: ISO 8601 in UTC with milliseconds, so that text order is time order. */
  readonly updatedAt: string
}

export interface ReserveOptions {
  /** Milliseconds until the claim may be taken over unless it is renewed. */
  readonly leaseMs: number
  /** The resource's version that this event brings; `undefined` if it has none. */
  readonly version: ResourceVersion | undefined
}

export interface RenewOptions {
  readonly leaseMs: number
  /** Names of the handlers that have succeeded by now; those told before stay remembered. */
  readonly done: readonly string[]
}

export interface CompleteOptions {
  /** Milliseconds for which the key stays completed, and the resource's version remembered. */
  readonly retentionMs: number
  /** The same as when the key was reserved. Remembered as handled unless a newer one is. */
  readonly version: ResourceVersion | undefined
}

export interface ReleaseOptions {
  readonly done: readonly string[]
  /** Milliseconds for which the names that are done stay remembered. */
  readonly retentionMs: number
}

export type Reservation =
  | {
      readonly state: 'reserved'
      /** Unique for every claim that was ever made. */
      readonly token: string
      /** Names of the handlers that have succeeded under earlier claims. */
      readonly done: readonly string[]
      /** Whether a newer version of the same resource was completed. */
      readonly stale: boolean
    }
  | { readonly state: 'in-progress' }
  | { readonly state: 'completed' }
