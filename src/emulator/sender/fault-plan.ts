import type { Decoy } from './delivery.ts'
import { createRandom } from './random.ts'

/**
 * What goes wrong on purpose, to test receivers. Each figure but `delayMs` is the probability that it befalls a delivery, from
 * 0 (never, the default) to 1 (always); the same seed and the same events in the same order bring the same misfortunes.
 *
 * Each call has an event callback of its own. Those that would not have been made otherwise say why in their `metadata`:
 * `{ faults: 'duplicate' }`.
 */
export interface Faults {
  /** A second delivery of the same bytes, with retries of its own: at the same time, or when the first call has ended. */
  readonly duplicate?: number | undefined
  /**
   * It is held back until the next delivery of the webhook has been answered, or for a second if none is. Of two in a row
   * one is held at most.
   */
  readonly reorder?: number | undefined
  /** Milliseconds by which every delivery is late. Default: 0. */
  readonly delayMs?: number | undefined
  /**
   * A call whose connection is cut in the middle of the body, before the true delivery. Whatever becomes of it, it neither
   * counts towards the circuit nor is it sent again.
   */
  readonly dropMidBody?: number | undefined
  /** All its calls come in two chunks (`Transfer-Encoding: chunked`), cut inside the first multi-byte character. */
  readonly splitChunks?: number | undefined
  /** A call that is signed with another secret, before the true delivery. It counts as little as `dropMidBody`. */
  readonly wrongSignature?: number | undefined
  /**
   * A call with another topic in its header, of the same resource if it has several, before the true delivery. Its signature is
   * right, as it does not cover the topic. It counts as little as `dropMidBody`.
   */
  readonly wrongTopic?: number | undefined
  /** It is fired again after the first retry's delay although its first call was answered 2xx, as if that had come too late. */
  readonly retryAfterSuccess?: number | undefined
}

/** What befalls one delivery. */
export interface DeliveryFaults {
  readonly duplicate: 'at-once' | 'later' | undefined
  /** Stands for being held back. */
  readonly hold: object | undefined
  /** The hold of the delivery before it, which ends when this one has been answered. */
  readonly overtakes: object | undefined
  readonly delayMs: number
  readonly decoys: readonly Decoy[]
  readonly isSplit: boolean
  readonly isRepeated: boolean
}

/**
 * Draws the faults of one delivery after the other. Every one takes as many numbers, so that what one option brings does
 * not depend on the others.
 *
 * @throws TypeError if an option is unknown or out of range.
 */
export function createFaultPlan(faults: Faults = {}, seed = 1): (webhook: object) => DeliveryFaults {
  check(faults)
  const held = new WeakMap<object, object>()
  const { delayMs = 0 } = faults
  const random = createRandom(seed)
  const isDrawn = (name: keyof Faults) => random() < (faults[name] ?? 0)
  return (webhook) => {
    const when = random() < 0.5 ? 'at-once' : 'later'
    const decoys = DECOYS.filter(isDrawn)
    const isHeld = isDrawn('reorder')
    const overtakes = held.get(webhook)
    held.delete(webhook)
    const hold = isHeld && !overtakes ? {} : undefined
    if (hold) held.set(webhook, hold)
    return {
      hold,
      overtakes,
      delayMs,
      decoys,
      duplicate: isDrawn('duplicate') ? when : undefined,
      isSplit: isDrawn('splitChunks'),
      isRepeated: isDrawn('retryAfterSuccess'),
    }
  }
}

const DECOYS = ['dropMidBody', 'wrongSignature', 'wrongTopic'] as const satisfies readonly Decoy[]
const PROBABILITIES = ['duplicate', 'reorder', 'splitChunks', 'retryAfterSuccess', ...DECOYS]

function check(faults: Faults): void {
  for (const [name, value] of Object.entries(faults)) {
    const isProbability = PROBABILITIES.includes(name)
    if (!isProbability && name !== 'delayMs') throw new TypeError(`\`faults\` has no option \`${name}\`.`)
    const max = isProbability ? 1 : Number.MAX_SAFE_INTEGER
    if (value === undefined || (typeof value === 'number' && value >= 0 && value <= max)) continue
    const range = isProbability ? 'a probability from 0 to 1' : 'a number of milliseconds, 0 or more'
    throw new TypeError(`\`faults.${name}\` must be ${range}.`)
  }
}
