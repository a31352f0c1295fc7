import type { KeptRecord } from '../kept-record.ts'
import { MAX_REFUSED_BODY_BYTES } from '../records.ts'

/**
 * What is written of refused requests. Strangers send any number, and to mask a body takes longer than to refuse it.
 */
export interface RefusedBudget {
  /** The record as it may be written, perhaps without its body; `undefined` if there are too many. */
  admit(kept: KeptRecord): KeptRecord | undefined
}

/** Records and bytes of bodies: at once, and how many are added a second. */
const RECORDS = { most: 500, perSecond: 100 }
const BODIES = { most: 2 * 1024 * 1024, perSecond: 256 * 1024 }

export function createRefusedBudget(): RefusedBudget {
  let records = RECORDS.most
  let bytes = BODIES.most
  let filledAt = performance.now()

  function fill(): void {
    const now = performance.now()
    const seconds = (now - filledAt) / 1000
    filledAt = now
    records = Math.min(RECORDS.most, records + seconds * RECORDS.perSecond)
    bytes = Math.min(BODIES.most, bytes + seconds * BODIES.perSecond)
  }

  return {
    admit(kept) {
      if (kept.outcome !== 'refused') return kept
      fill()
      if (records < 1) return undefined
      records -= 1
      const bodyBytes = kept.body?.byteLength ?? 0
      if (bodyBytes > Math.min(bytes, MAX_REFUSED_BODY_BYTES)) return { ...kept, body: undefined }
      bytes -= bodyBytes
      return kept
    },
  }
}
