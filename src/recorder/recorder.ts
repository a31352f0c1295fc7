import { checkOptions, type OptionRule, positiveInteger, wrongOption } from '../core/check-options.ts'
import { defaultLogger, safeLogger } from '../core/logger.ts'
import type { DeliveryRecorder, LoggerLike, RecordedAttempt } from '../drivers.ts'
import { isFieldName } from './allowed-fields.ts'
import { createFileRecords } from './file/file-records.ts'
import { findKey } from './file/key.ts'
import { type KeptRecord, keepAttempt, keepRecord } from './kept-record.ts'
import { createMemoryRecords } from './memory/memory-records.ts'
import type { NewRecord } from './record.ts'
import type { RecordReader } from './records.ts'
import { findReceivingUrl, sendRecords } from './send-records.ts'

export { findByteDifference } from './difference.ts'
export { type MaskOptions, maskDocument } from './mask-document.ts'
export type {
  ByteDifference,
  DeliveryRecord,
  NewRecord,
  RecordDetails,
  RecordedError,
  RecordedHandler,
  RecordedSpan,
  RecordedStage,
  RecordPage,
  RecordQuery,
  RecordStatistics,
} from './record.ts'
export type { RecordListener, RecordReader, StatisticsQuery } from './records.ts'
export { readRecords } from './wire-format.ts'

/** Which personal data a recorder gives: none, or fields of these names. */
export interface RedactOptions {
  /** Names of further attributes whose values are shown, such as `sku_code`. */
  readonly allow: readonly string[]
}

export interface RecorderOptions {
  /** How many records are kept. A tenth as many refused requests are kept besides. Default: 10,000. */
  readonly max?: number | undefined
  /** How many bytes of bodies are kept. The oldest are dropped first; their records stay. Default: 64 MiB. */
  readonly maxBytes?: number | undefined
  /**
   * The path of a SQLite file, created if it does not exist, which several processes may share. What is written is
   * masked. Default: none; the records are in memory, and end with the process.
   */
  readonly file?: string | undefined
  /**
   * Whether personal data is masked: names, addresses and free texts never reach a reader then.
   * `{ allow: ['sku_code'] }` shows more fields. False is for memory only. Default: true.
   */
  readonly redact?: boolean | RedactOptions | undefined
  /**
   * The key with which email addresses are hashed in a file, so that they can be searched for: text of 16 characters or
   * more. Default: a random one in `{file}.key`, which only its owner can read.
   */
  readonly key?: string | undefined
  /**
   * Anything with `warn` and `error`: told once if the file cannot be written. Default: warnings and errors to the
   * console.
   */
  readonly logger?: LoggerLike | undefined
}

/** Keeps the last deliveries, for a dashboard or a look by hand. Made by {@link createRecorder}. */
export interface Recorder extends DeliveryRecorder, RecordReader {
  /** For the receiver: `createReceiver({ recorder })`. */
  record(attempt: RecordedAttempt): void
  /** Adds a record that no receiver here has made. */
  add(record: NewRecord): void
}

const OWNER = 'createRecorder'
const isText = (value: unknown) => typeof value === 'string' && value !== '' && value !== ':memory:'

const RULES = {
  max: positiveInteger(10_000),
  maxBytes: positiveInteger(64 * 1024 * 1024),
  file: { fallback: undefined, expected: 'the path of a file', isValid: isText } satisfies OptionRule<
    string | undefined
  > as OptionRule<string | undefined>,
  redact: { fallback: true, expected: 'true, false or { allow: [names] }', isValid: isRedact } as OptionRule<
    boolean | RedactOptions
  >,
  key: {
    fallback: undefined,
    expected: 'text of 16 characters or more',
    isValid: (value) => typeof value === 'string' && value.length >= 16,
  } as OptionRule<string | undefined>,
}

/**
 * Makes a recorder, which keeps the last deliveries of a receiver: in memory, or in a SQLite file with `file`. It needs
 * Node, Bun or Deno.
 *
 * In a process that `hooklayer dev` has started, records are also sent to its dashboard, unmasked: to the URL in
 * `HOOKLAYER_RECORDER_URL`, which must be of this machine.
 *
 * @throws TypeError if an option is unknown or out of range, or with `redact: false` and a `file`.
 * @throws Error if there is a `file` and no SQLite driver. A file that cannot be used is a warning, and `list` rejects:
 * the receiver goes on.
 * @example
 * const recorder = createRecorder()
 * const receiver = createReceiver({ secrets: secretsFromEnv(), recorder })
 * const { records } = await recorder.list({ outcome: 'refused' })
 * @see docs/recorder.md
 */
export function createRecorder(options: RecorderOptions = {}): Recorder {
  const { file, key, redact, ...limits } = checkOptions(OWNER, options, RULES, ['logger'])
  if (file !== undefined && redact === false) {
    const reason =
      'cannot be false with a `file`: what is written there is always masked. Leave `file` out, or `redact`'
    throw wrongOption(OWNER, 'redact', reason)
  }
  if (file === undefined && key !== undefined) throw wrongOption(OWNER, 'key', 'needs a `file`')
  const logger = safeLogger(options.logger ?? defaultLogger)
  const allow = typeof redact === 'object' ? redact.allow : []
  const records =
    file === undefined
      ? createMemoryRecords({ ...limits, mask: redact === false ? undefined : { allow } })
      : createFileRecords(file, { ...limits, allow, key: key ?? (() => findKey(`${file}.key`)) }, logger)
  const url = findReceivingUrl(logger)
  const sending = url === undefined ? undefined : sendRecords(url)
  const add = (kept: KeptRecord) => {
    records.add(kept)
    sending?.add(kept)
  }
  return {
    ...records,
    record: (attempt) => add(keepAttempt(attempt)),
    add: (record) => records.add(keepRecord(record)),
    async close() {
      await sending?.flush()
      await records.close()
    },
  }
}

function isRedact(value: unknown): boolean {
  if (typeof value === 'boolean') return true
  const { allow, ...others } = Object(value) as { readonly allow?: unknown }
  return Array.isArray(allow) && allow.every(isFieldName) && Object.keys(others).length === 0
}
