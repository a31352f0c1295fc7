/** A body has made progress once this many bytes have arrived: a sender of single bytes does not keep its place. */
const PROGRESS_BYTES = 4096

/** A body that is being read, and how far it is. */
export class Reading {
  readonly startedAt = performance.now()
  /** When progress was last seen. */
  progressAt = this.startedAt
  received = 0
  #progressBytes = 0
  #resume: (() => void) | undefined

  get isPaused(): boolean {
    return this.#resume !== undefined
  }

  add(bytes: number): void {
    this.received += bytes
    if (this.received - this.#progressBytes < PROGRESS_BYTES) return
    this.#progressBytes = this.received
    this.progressAt = performance.now()
  }

  /** Resolves when the body may be read on; never if it was cut off. */
  pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve
    })
  }

  resume(): void {
    this.progressAt = performance.now()
    this.#resume?.()
    this.#resume = undefined
  }
}
