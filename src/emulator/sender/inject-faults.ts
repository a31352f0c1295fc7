import type { Call } from './call.ts'
import { createDecoy, type Delivery } from './delivery.ts'
import type { DeliveryFaults } from './fault-plan.ts'
import type { Pauses } from './pauses.ts'
import type { PendingWork } from './pending-work.ts'

/** The parts of the sender that fault injection uses. */
export interface FaultInjectorOptions {
  /** Makes one call, without retries. */
  readonly call: (delivery: Delivery) => Promise<Call | undefined>
  /** Makes the first call and starts the retries. */
  readonly deliver: (delivery: Delivery) => Promise<Call | undefined>
  readonly retryDelayMs: (attempt: number) => number
  readonly pauses: Pauses
  readonly pendingWork: PendingWork
}

/** The maximum time that a delivery is held back for the next one to overtake it. */
const MAX_HOLD_MS = 1000

/** Creates a function that sends a delivery with its faults. It resolves with the first call that is not a decoy. */
export function createFaultInjector({
  call,
  deliver,
  retryDelayMs,
  pauses,
  pendingWork,
}: FaultInjectorOptions): (delivery: Delivery, faults: DeliveryFaults) => Promise<Call | undefined> {
  async function repeat(delivery: Delivery): Promise<void> {
    if (await pauses.wait(delivery.webhook, retryDelayMs(1))) await deliver({ ...delivery, fault: 'retryAfterSuccess' })
  }

  async function send(delivery: Delivery, { duplicate, isRepeated }: DeliveryFaults): Promise<Call | undefined> {
    const firstCall = deliver(delivery)
    const sendDuplicate = () => void pendingWork.add(deliver({ ...delivery, fault: 'duplicate' }))
    if (duplicate === 'at-once') sendDuplicate()
    const first = await firstCall
    if (duplicate === 'later') sendDuplicate()
    if (isRepeated && first?.isSuccess) void pendingWork.add(repeat(delivery))
    return first
  }

  return async (delivery, faults) => {
    const { hold, overtakes, delayMs, isSplit, isSlow, decoys } = faults
    const chunking = isSlow ? 'slow' : isSplit ? 'split' : delivery.chunking
    const written: Delivery = { ...delivery, chunking }
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
