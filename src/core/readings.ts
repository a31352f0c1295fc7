export interface ReadingLimits {
  /** How many bodies may be unfinished at once. */
  readonly maxUnverified: number
  /** How many bytes unfinished bodies may have received together, but for one chunk of each. */
  readonly maxUnverifiedBytes: number
}

/** Reads a body. Where the function that is told of each chunk gives a promise, the rest waits for it. */
export type ReadInPieces<T> = (onProgress?: (bytes: number) => Promise<void> | undefined) => Promise<T>

/** The bodies that are being read. */
export interface Readings {
  /**
   * Reads a body, within limits where the platform has them.
   *
   * @param wait gives the body, or rejects when it takes too long.
   * @throws WebhookError `BODY_TIMEOUT` if it was cut off to make room for others.
   */
  run<T>(read: ReadInPieces<T>, wait: (arrived: Promise<T>) => Promise<T>): Promise<T>
}
