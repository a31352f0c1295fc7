import type { Deadline } from '../deadline.ts'
import type { MaybePromise } from '../maybe-promise.ts'

/** What stores and inboxes tell deliveries apart by, besides their content. */
export interface Identity {
  /** Whether by the topic. A topic that a stranger may have made up does not count. */
  readonly byTopic: boolean
  /** Whether by organization and mode. */
  readonly byTenant: boolean
}

/** Finds the identity of a delivery once a store or an inbox needs it. */
export type Identify = (deadline: Deadline) => MaybePromise<Identity>

export const BY_TOPIC: Identity = { byTopic: true, byTenant: false }
