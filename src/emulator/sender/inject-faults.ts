import type { Call } from './call.ts'
import { createDecoy, type Delivery } from './delivery.ts'
import type { DeliveryFaults } from './fault-plan.ts'
import type { Pauses } from './pauses.ts'
import type { UnderWay } from './pending-work.ts'

/** What a sender that behaves consists of. */
export interface SenderParts {
  /** One call, without retries. */
  readonly call: (delivery: Delivery) => Promise<Call | undefined>
  /** The first call, with the retries to follow. */
  readonly fire: (delivery: Delivery) => Promise<Call | undefined>
  readonly retryDelayMs: (attempt: number) => number
  readonly pauses: Pauses
  readonly underWay: UnderWay
}

/** How long a delivery is held back for another one to overtake it. */
const MAX_HOLD_MS = 1000

/** Sends a delivery as its faults has it. What comes back is the first call of the true delivery. */
export function createFaultInjector(
  behaviour: SenderParts,
): (delivery: Delivery, faults: DeliveryFaults) => Promise<Call | undefined> {
  const { call, fire, retryDelayMs, pauses, underWay } = behaviour

  async function repeat(delivery: Delivery): Promise<void> {
    if (await pauses.wait(delivery.webhook, retryDelayMs(1))) await fire({ ...delivery, extra: 'retryAfterSuccess' })
  }

  async function send(delivery: Delivery, { duplicate, isRepeated }: DeliveryFaults): Promise<Call | undefined> {
    const firing = fire(delivery)
    const fireAgain = () => void underWay.add(fire({ ...delivery, extra: 'duplicate' }))
    if (duplicate === 'at-once') fireAgain()
    const first = await firing
    if (duplicate === 'later') fireAgain()
    if (isRepeated && first?.isSuccess) void underWay.add(repeat(delivery))
    return first
  }

  return async (delivery, faults) => {
    const { hold, overtakes, delayMs, isSplit, decoys } = faults
    const written: Delivery = isSplit ? { ...delivery, chunking: 'split' } : delivery
    try {
      if (hold) await pauses.wait(hold, MAX_HOLD_MS)
      if (delayMs > 0) await pauses.wait(delivery.webhook, delayMs)
      for (const decoy of decoys) await call(await createDecoy(written, decoy))
      return await send(written, faults)
    } finally {
      if (overtakes) pauses.cancel(overtakes)
    }
  }
}
