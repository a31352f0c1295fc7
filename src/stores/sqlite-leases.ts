import type { Holder } from './sqlite-transactions.ts'

/** Leases that end later than any that begins now, because the clock of the machine was set back. */
export interface StoppedLeases {
  /** The end of such a lease, after it has stood unchanged for its length; `undefined` for every other. */
  overAt(key: string): number | undefined
  /** Notes who holds a key; `undefined` if it is the caller. */
  note(key: string, holder: Holder | undefined): void
}

/** Notes are forgotten past this number of keys, and begin anew. */
const MAX_NOTES = 10_000

/** A lease is renewed within its length, so that its token has to say how long it is. */
export function createToken(leaseMs: number): string {
  return `${crypto.randomUUID()} ${leaseMs}`
}

/** A note is by the monotonic clock of the process, so that a lease never ends too soon. */
export function createStoppedLeases(): StoppedLeases {
  const notes = new Map<string, { token: string; leasedUntil: number; overFrom: number }>()
  return {
    overAt(key) {
      const note = notes.get(key)
      return note && note.overFrom <= performance.now() ? note.leasedUntil : undefined
    },
    note(key, holder) {
      const before = notes.get(key)
      if (before && before.token === holder?.token && before.leasedUntil === holder.leasedUntil) return
      notes.delete(key)
      if (!holder?.token) return
      const { token, leasedUntil, leftMs } = holder
      const leaseMs = Number(token.split(' ')[1])
      // False for a token of version 0.1, which does not say how long its lease is.
      if (!(leftMs > leaseMs)) return
      if (notes.size >= MAX_NOTES) notes.clear()
      notes.set(key, { token, leasedUntil, overFrom: performance.now() + leaseMs })
    },
  }
}
