import { setTimeout as sleep } from 'node:timers/promises'
import type { Call, Sender, SentOrder } from './sender.ts'

/** Events that are sent at a steady pace, answered or not. */
export interface Load {
  /** Resolves with how many it were, once all have been answered for the first time. Their numbers begin with 0. */
  stop(): Promise<number>
}

export function sendSteadily(sender: Sender, everyMs: number, describeOrder?: (number: number) => SentOrder): Load {
  const sending: Promise<unknown>[] = []
  const timer = setInterval(() => sending.push(sender.send(sending.length, describeOrder?.(sending.length))), everyMs)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(sending)
      return sending.length
    },
  }
}

/**
 * Sends again what was not acknowledged, until it is: retries end when a circuit opens, and somebody has to fire the
 * events anew.
 */
export async function sendRest(
  sender: Sender,
  count: number,
  describeOrder?: (number: number) => SentOrder,
): Promise<void> {
  for (;;) {
    await sender.settled()
    const acknowledged = new Set(sender.calls().flatMap((call) => (isAcknowledged(call) ? [call.number] : [])))
    const rest = Array.from({ length: count }, (_, number) => number).filter((number) => !acknowledged.has(number))
    if (rest.length === 0) return
    // For circuits to be closed again.
    await sleep(50)
    await Promise.all(rest.map((number) => sender.send(number, describeOrder?.(number))))
  }
}

export function isAcknowledged({ status = 0 }: Call): boolean {
  return status >= 200 && status < 300
}
