import { withTimeout } from '../deadline.ts'
import { WebhookError } from '../errors.ts'
import { platform } from '../platform.ts'
import type { ReadingLimits } from '../readings.ts'
import type { RawBody, ReadBody } from './request.ts'

/**
 * Bounds what requests cost before they are verified. Bodies that arrive without delay are read whatever their number.
 * The limits cut off those that have stalled, and pause others while there is no room, so that a burst of genuine
 * deliveries loses none.
 */
export interface Budget {
  /**
   * Reads a body within the budget, and within `ms` milliseconds.
   *
   * @throws WebhookError `BODY_TIMEOUT` if it did not arrive in time, or was cut off to make room for others.
   */
  read(body: ReadBody, maxBytes: number, ms: number): Promise<RawBody>
}

export function createBudget(limits: ReadingLimits): Budget {
  const readings = platform.createReadings(limits)
  const isLate = () => new WebhookError('BODY_TIMEOUT')
  return {
    read: (body, maxBytes, ms) =>
      readings.run(
        (onProgress) => body({ maxBytes, onProgress }),
        (arrived) => withTimeout(arrived, ms, isLate),
      ),
  }
}
