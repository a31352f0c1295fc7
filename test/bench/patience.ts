/** Within which whatever is slow ends after all: it is to be measured, not refused. */
export const PATIENCE_MS = 60_000
