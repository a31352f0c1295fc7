import { type ConsumeOptions, type DeadLetter, isStoredTopic, type ProcessDelivery } from '../../core/inbox/inbox.ts'
import { describeFailure, readResource } from './describe-failure.ts'
import { BODY_DAMAGED, type LeasedDelivery, type Settlement, WORKER_LOST } from './queue.ts'

export const HANDLED: Settlement = { state: 'handled' }
/** Returned to the queue because this process is stopping. */
export const RETURNED: Settlement = { state: 'returned', delayMs: 0 }

/** From this many lost workers on, a delivery is suspected. One is lost in each deployment that does not drain. */
const SUSPECT_LOSSES = 2

/** Whether nothing else may run meanwhile: the delivery may end the process, and others would be lost with it. */
export function mustRunAlone({ losses, isLost }: LeasedDelivery): boolean {
  return losses >= SUSPECT_LOSSES && !isLost
}

type AttemptOptions = Pick<ConsumeOptions, 'attempts' | 'delayMs' | 'onError' | 'causes'>

/**
 * Makes one attempt to handle a leased delivery and decides how to settle it: {@link HANDLED} if it was handled. Never
 * rejects.
 */
export async function attemptDelivery(
  leased: LeasedDelivery,
  process: ProcessDelivery,
  { attempts, delayMs, onError, causes = 'masked' }: AttemptOptions,
  signal: AbortSignal,
): Promise<Settlement> {
  const { delivery, attempt } = leased
  const fatal = findFatalError(leased, attempts)
  if (fatal) {
    const name = isStoredTopic(delivery.topic) ? delivery.topic : 'A delivery'
    onError(new Error(`${name}: ${fatal.code}. ${fatal.message} The delivery is a dead letter now.`))
    const resource = readResource(delivery.body)
    const made = fatal === WORKER_LOST ? attempt - 1 : attempt
    return { state: 'dead', error: fatal, resource, attempts: made, maxAttempts: attempts }
  }
  if (leased.isLost && leased.losses >= SUSPECT_LOSSES) return { state: 'returned', delayMs: delayMs(leased.losses) }
  try {
    await process(delivery, { number: attempt, maxAttempts: attempts, signal })
    return HANDLED
  } catch (thrown) {
    const { retryable, excused, ...error } = describeFailure(thrown, causes)
    if (error.code === 'SHUTTING_DOWN') return RETURNED
    if (excused) return { state: 'returned', delayMs: delayMs(attempt) }
    const resource = readResource(delivery.body)
    const failure = { error, resource, maxAttempts: attempts }
    if (!retryable || attempt >= attempts) return { state: 'dead', ...failure, attempts: attempt }
    return { state: 'failed', ...failure, delayMs: delayMs(attempt) }
  }
}

/** Why no attempt must be made. A delivery that was lost with its last attempt might crash one worker after another. */
function findFatalError(
  { attempt, isDamaged, isLost }: LeasedDelivery,
  attempts: number,
): DeadLetter['error'] | undefined {
  if (isDamaged) return BODY_DAMAGED
  return isLost && attempt > attempts ? WORKER_LOST : undefined
}
