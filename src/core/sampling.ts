/** How often something of one kind is reported, in milliseconds. */
const EVERY_MS = 60_000

/** Chooses what is reported of things that strangers can cause any number of times. */
export interface Sampling {
  /**
   * Counts one of a kind. The first of a kind is reported at once, and one a minute after that.
   *
   * @returns how many a report now stands for; 0 if this one is not reported.
   */
  count(kind: string): number
}

/** @param maxReports how many reports of all kinds there are in a minute. Default: any number. */
export function createSampling(maxReports = Number.POSITIVE_INFINITY): Sampling {
  const kinds = new Map<string, { reportedAt: number; unreported: number }>()
  let reports: number[] = []
  return {
    count(name) {
      const kind = kinds.get(name) ?? { reportedAt: Number.NEGATIVE_INFINITY, unreported: 0 }
      kinds.set(name, kind)
      kind.unreported += 1
      const minuteAgo = performance.now() - EVERY_MS
      if (kind.reportedAt > minuteAgo) return 0
      reports = reports.filter((at) => at > minuteAgo)
      if (reports.length >= maxReports) return 0
      const { unreported } = kind
      kind.reportedAt = performance.now()
      kind.unreported = 0
      reports.push(kind.reportedAt)
      return unreported
    },
  }
}
