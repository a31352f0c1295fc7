import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves after `ms` milliseconds, or earlier when the signal is aborted. Never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => {})
}

/** Resolves with the promise or after `ms` milliseconds, whichever is first. */
export async function waitAtMost(promise: Promise<unknown>, ms: number): Promise<void> {
  const timer = new AbortController()
  await Promise.race([promise, pause(ms, timer.signal)])
  timer.abort()
}
