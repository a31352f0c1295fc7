import { checkOptions } from '../core/check-options.ts'
import type { Inbox } from '../core/inbox/inbox.ts'
import { createMemoryQueue } from './memory/queue.ts'
import { createInbox } from './queue/create-inbox.ts'
import { INBOX_RULES, type InboxOptions } from './queue/queue.ts'

export type { InboxOptions }

/**
 * An inbox in the memory of this process, for tests and experiments. **Deliveries that it has acknowledged are lost
 * with the process.** Options: `retentionMs` (default: 7 days) and `maxQueued` (default: 100,000).
 *
 * @throws TypeError if an option is unknown or out of range.
 * @example
 * const inbox = createMemoryInbox()
 * const receiver = createReceiver({ secrets, inbox })
 * const worker = createWorker({ receiver, inbox })
 * @see docs/durable-inbox.md
 */
export function createMemoryInbox(options: InboxOptions = {}): Inbox {
  const { leaseMs, ...rules } = INBOX_RULES
  const limits = checkOptions('createMemoryInbox', options, rules)
  return createInbox(createMemoryQueue(limits), leaseMs.fallback)
}
