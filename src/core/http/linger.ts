/**
 * How much of the rest of a refused request is read and discarded, and for how many milliseconds. Meanwhile the sender
 * can finish and read the answer; then its connection is closed. More than the largest delivery that is accepted by
 * default (5 MiB), so that a sender of such a body reads the answer. There are two limits, because timers do not fire
 * while a stream always has another chunk.
 */
export const LINGER_BYTES = 8 * 1024 * 1024
export const LINGER_MS = 4000
