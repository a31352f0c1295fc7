/** A timeout that no operation reaches: slow ones have to be measured, not refused. */
export const GENEROUS_TIMEOUT_MS = 60_000
