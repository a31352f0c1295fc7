import type { ResourceReference } from '../drivers.ts'
import type { KeptRecord } from './kept-record.ts'
import type { DeliveryRecord, RecordDetails, RecordPage, RecordQuery, RecordStatistics } from './record.ts'

export interface StatisticsQuery {
  /** The start of the first span. */
  readonly since: Date
  /** The length of each span in milliseconds. There are 10,000 spans at most. */
  readonly spanMs: number
}

/** Gives what was recorded. */
export interface RecordReader {
  /**
   * Lists records, the newest first.
   *
   * @throws TypeError if the query has an unknown member or a value of another type.
   * @throws Error if the file cannot be read, or could not be written when that was last tried.
   * @example
   * const { records } = await recorder.list({ search: '1054', outcome: ['failed', 'refused'] })
   */
  list(query?: RecordQuery): Promise<RecordPage>
  /** One record with all that was kept of it; `undefined` if there is none of this id any more. */
  get(id: string): Promise<RecordDetails | undefined>
  /**
   * Counts what was recorded, by spans of time.
   *
   * @throws TypeError if a member is missing or of another type, or there would be too many spans.
   */
  statistics(query: StatisticsQuery): Promise<RecordStatistics>
  /**
   * Calls a listener with new records, the oldest first, several at a time. Those that other processes write to the
   * same file are included.
   *
   * @returns a function that ends it.
   */
  subscribe(listener: RecordListener): () => void
  /**
   * Deletes the records that carry a resource, as their own or as an included one. In memory, a record whose body was
   * dropped is known by its own resource only.
   *
   * @returns how many were deleted.
   */
  erase(resource: ResourceReference): Promise<number>
  /** Writes what is pending, and closes the file. */
  close(): Promise<void>
}

/** Is given new records, the oldest first. What it throws is ignored. */
export type RecordListener = (records: readonly DeliveryRecord[]) => void

/** Of one refused request: strangers choose what it is. A larger body is not kept. */
export const MAX_REFUSED_BODY_BYTES = 256 * 1024

/** Where records are kept. */
export interface Records extends RecordReader {
  add(kept: KeptRecord): void
}
