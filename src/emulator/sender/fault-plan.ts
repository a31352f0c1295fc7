import * as z from 'zod'
import { checkSchema, mustBe } from '../../schema/check-schema.ts'
import type { DecoyFault } from './delivery.ts'
import { createRandom } from './random.ts'

/**
 * Faults that the emulator injects into deliveries, to test receivers. Every option except `delayMs` is the probability
 * of the fault for each delivery, from 0 (never, the default) to 1 (always). The same seed and the same events in the
 * same order give the same faults.
 *
 * Each call has its own event callback. The `metadata` of a call that only a fault caused names the fault: `{ fault:
 * 'duplicate' }`.
 *
 * `dropMidBody`, `wrongSignature` and `wrongTopic` are decoys: false calls before the genuine delivery. They do not
 * count toward the circuit and are not retried, whatever the answer is.
 *
 * @example
 * const emulator = await createEmulator({ faults: { duplicate: 0.3, reorder: 0.1 }, seed: 7 })
 */
export interface Faults {
  /**
   * A second delivery of the same bytes, with its own retries: at the same time, or after the end of the first call.
   */
  readonly duplicate?: number | undefined
  /**
   * The delivery is held back until the next delivery of the webhook is answered, for at most one second. The delivery
   * that overtakes is never held back itself.
   */
  readonly reorder?: number | undefined
  /** The delay of every delivery in milliseconds. Default: 0. */
  readonly delayMs?: number | undefined
  /** A decoy whose connection is cut in the middle of the body. */
  readonly dropMidBody?: number | undefined
  /**
   * All calls of the delivery send two chunks (`Transfer-Encoding: chunked`), cut inside the first multi-byte
   * character.
   */
  readonly splitChunks?: number | undefined
  /** A decoy that is signed with another secret. */
  readonly wrongSignature?: number | undefined
  /**
   * A decoy with another topic in its header: of the same resource if it has several. Its signature is correct, because
   * the signature does not cover the topic.
   */
  readonly wrongTopic?: number | undefined
  /** The body of the delivery is sent in ten parts, over two seconds. */
  readonly slowBody?: number | undefined
  /** The delivery is sent again after the delay of a first retry, although the first call was answered 2xx. */
  readonly retryAfterSuccess?: number | undefined
}

/** The faults of one delivery. */
export interface DeliveryFaults {
  readonly duplicate: 'at-once' | 'later' | undefined
  /** The owner of the pause that holds this delivery back. */
  readonly hold: object | undefined
  /** The `hold` of the previous delivery, which ends when this delivery is answered. */
  readonly overtakes: object | undefined
  readonly delayMs: number
  readonly decoys: readonly DecoyFault[]
  readonly isSplit: boolean
  readonly isSlow: boolean
  /** Whether it is sent again after a success. */
  readonly isRepeated: boolean
}

/** Chooses the faults of the next delivery of a webhook. */
export type FaultPlanner = (webhook: object) => DeliveryFaults

/**
 * Creates a function that chooses the faults of each delivery. Each delivery takes the same number of random numbers,
 * so the value of one option does not change when the other faults occur.
 *
 * @throws TypeError if an option is unknown or out of range.
 */
export function createFaultPlanner(faults: Faults = {}, seed = 1): FaultPlanner {
  checkSchema('faults', FAULTS, faults)
  const heldByWebhook = new WeakMap<object, object>()
  const { delayMs = 0 } = faults
  const random = createRandom(seed)
  const shouldInject = (name: keyof Faults) => random() < (faults[name] ?? 0)
  return (webhook) => {
    const duplicateTime = random() < 0.5 ? 'at-once' : 'later'
    const decoys = DECOYS.filter(shouldInject)
    const isReordered = shouldInject('reorder')
    const overtakes = heldByWebhook.get(webhook)
    heldByWebhook.delete(webhook)
    const hold = isReordered && !overtakes ? {} : undefined
    if (hold) heldByWebhook.set(webhook, hold)
    return {
      hold,
      overtakes,
      delayMs,
      decoys,
      duplicate: shouldInject('duplicate') ? duplicateTime : undefined,
      isSplit: shouldInject('splitChunks'),
      isRepeated: shouldInject('retryAfterSuccess'),
      isSlow: shouldInject('slowBody'),
    }
  }
}

const DECOYS = ['dropMidBody', 'wrongSignature', 'wrongTopic'] as const satisfies readonly DecoyFault[]

const probability = z
  .number(mustBe('a probability from 0 to 1'))
  .min(0, mustBe('a probability from 0 to 1'))
  .max(1, mustBe('a probability from 0 to 1'))
  .optional()

const FAULTS: z.ZodType<Faults> = z.strictObject({
  duplicate: probability,
  reorder: probability,
  delayMs: z.number(mustBe('a number of milliseconds')).min(0, 'must not be negative').optional(),
  dropMidBody: probability,
  splitChunks: probability,
  wrongSignature: probability,
  wrongTopic: probability,
  retryAfterSuccess: probability,
  slowBody: probability,
})
