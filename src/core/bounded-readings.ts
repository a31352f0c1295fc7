import { WebhookError } from './errors.ts'
import { Reading } from './reading.ts'
import type { ReadInPieces, ReadingLimits, Readings } from './readings.ts'

const CUT_OFF = 'It was cut off to make room for other requests: nothing of it had arrived for a while.'

/** A body is not cut off before it had this many milliseconds. */
const GRACE_MS = 250
/** For each of so many bytes that have arrived, a body may stall a millisecond longer. */
const BYTES_PER_MS = 16
const MAX_STALL_MS = 4000
/** How many bodies one check may cut off, if they are not an eighth of those that are too many. */
const MIN_CUTS = 50
/** How often the limits are checked while one of them is reached. */
const CHECK_MS = 50
/** How much of `maxUnverifiedBytes` may be taken before another body is read on. */
const MAX_EXCESS = 1.1
/** A check that comes later than this is put off: the process is busy. */
const MAX_DELAY_MS = 50
/** How many bytes may arrive at once when a paused body goes on. */
const CHUNK_BYTES = 64 * 1024

/** Bounds the bodies that are being read, where a timer of one request may end another one. */
export class BoundedReadings implements Readings {
  readonly #limits: ReadingLimits
  /** The bodies that are being read, each with the function that cuts it off. */
  readonly #readings = new Map<Reading, () => void>()
  /** Bodies that wait for room, in the order in which they were paused. */
  readonly #paused = new Set<Reading>()
  /** The one body that is read on while there is no room: it makes room when it is complete. */
  #runner: Reading | undefined
  #received = 0
  #freedAt = 0
  #isCheckDue = false

  constructor(limits: ReadingLimits) {
    this.#limits = limits
  }

  run<T>(read: ReadInPieces<T>, wait: (arrived: Promise<T>) => Promise<T>): Promise<T> {
    const reading = new Reading()
    const onProgress = (bytes: number) => this.#progress(reading, bytes)
    const arrived = new Promise<T>((resolve, reject) => {
      const start = () => read(onProgress).then(resolve, reject)
      this.#readings.set(reading, () => reject(new WebhookError('BODY_TIMEOUT', { hint: CUT_OFF })))
      if (this.#readings.size > this.#limits.maxUnverified) this.#checkLater()
      const room = onProgress(0)
      if (room) room.then(start).catch(reject)
      else start()
    })
    return wait(arrived).finally(() => this.#remove(reading))
  }

  /** Counts bytes that have arrived. Gives a promise while no more of this body may be read. */
  #progress(reading: Reading, bytes: number): Promise<void> | undefined {
    if (!this.#readings.has(reading)) return reading.pause()
    reading.add(bytes)
    this.#received += bytes
    if (this.#received < this.#limits.maxUnverifiedBytes) return undefined
    this.#runner ??= reading
    if (this.#runner === reading) return undefined
    this.#paused.add(reading)
    this.#checkLater()
    return reading.pause()
  }

  #remove(reading: Reading): void {
    if (!this.#readings.delete(reading)) return
    this.#paused.delete(reading)
    if (this.#runner === reading) this.#runner = undefined
    this.#received -= reading.received
    this.#freedAt = performance.now()
    if (this.#paused.size > 0) this.#resumePaused()
  }

  /**
   * Bodies of which nothing was read come first. The others wait for more room, so that they do not take all of it
   * again.
   */
  #resumePaused(): void {
    const { maxUnverifiedBytes } = this.#limits
    let room = maxUnverifiedBytes - this.#received
    for (const reading of this.#paused) {
      const needed = reading.received === 0 ? 0 : maxUnverifiedBytes / 4
      if (room <= needed) continue
      room -= CHUNK_BYTES
      this.#resume(reading)
    }
    if (!this.#runner) this.#chooseRunner()
  }

  #chooseRunner(): void {
    this.#runner = largest(this.#paused)
    if (this.#runner) this.#resume(this.#runner)
  }

  #resume(reading: Reading): void {
    this.#paused.delete(reading)
    reading.resume()
  }

  #check(): void {
    const now = performance.now()
    const isOld = ({ startedAt }: Reading) => now - startedAt >= GRACE_MS
    const excess = this.#readings.size - this.#limits.maxUnverified
    if (excess > 0) {
      const stalled = [...this.#readings.keys()].filter(
        (reading) => !reading.isPaused && now - reading.progressAt >= stallMs(reading),
      )
      stalled.sort((a, b) => a.progressAt - b.progressAt)
      for (const reading of stalled.slice(0, cutsAtOnce(excess))) this.#cutOff(reading)
    }
    if (this.#paused.size > 0) {
      // The rest of another body may have arrived already. It may add all of its bytes, so only while there are few.
      const isStuck = now - Number(this.#runner?.progressAt) >= CHECK_MS
      if (isStuck && this.#received < this.#limits.maxUnverifiedBytes * MAX_EXCESS) this.#chooseRunner()
      const taker = now - this.#freedAt >= GRACE_MS ? largest([...this.#readings.keys()].filter(isOld)) : undefined
      if (taker) this.#cutOff(taker)
    }
    if (this.#readings.size > this.#limits.maxUnverified || this.#paused.size > 0) this.#checkLater()
  }

  /**
   * Two turns of the event loop after the timer: what had arrived while the loop was blocked has been read by then. If
   * they come late, the process is busy, and it is not the senders who are slow.
   */
  #checkLater(): void {
    if (this.#isCheckDue) return
    this.#isCheckDue = true
    const dueAt = performance.now() + CHECK_MS
    const check = () => {
      this.#isCheckDue = false
      if (performance.now() - dueAt > MAX_DELAY_MS) this.#checkLater()
      else this.#check()
    }
    setTimeout(() => setTimeout(() => setTimeout(check, 0), 0), CHECK_MS)
  }

  #cutOff(reading: Reading): void {
    const cutOff = this.#readings.get(reading)
    this.#remove(reading)
    cutOff?.()
  }
}

/** Answering those that are cut off takes time, in which nobody else is answered: many go in several checks. */
function cutsAtOnce(excess: number): number {
  return Math.min(excess, Math.max(MIN_CUTS, Math.ceil(excess / 8)))
}

/**
 * How long nothing may arrive of a body. One that has sent much gets longer: in a burst, genuine senders are slow. Such
 * bodies count by their bytes too.
 */
function stallMs({ received }: Reading): number {
  return Math.min(GRACE_MS + received / BYTES_PER_MS, MAX_STALL_MS)
}

function largest(readings: Iterable<Reading>): Reading | undefined {
  let found: Reading | undefined
  for (const reading of readings) if (reading.received >= (found?.received ?? 0)) found = reading
  return found
}
