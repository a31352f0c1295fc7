import { vi } from 'vitest'

/** As `vi.waitFor`, which gives up after one second: a busy machine may take longer for anything. */
export function waitFor<T>(check: () => T | Promise<T>, options: { readonly interval?: number } = {}): Promise<T> {
  return vi.waitFor(check, { timeout: 10_000, ...options })
}
