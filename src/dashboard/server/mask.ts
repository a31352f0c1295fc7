import { maskText } from '../../core/mask-text.ts'
import { toDifference } from '../../recorder/difference.ts'
import { createMask as createRecordMask, maskDetails, maskRecord, type RecordMask } from '../../recorder/mask-record.ts'
import { parseBody } from '../../recorder/read-document.ts'
import type { DeliveryRecord, RecordDetails } from '../../recorder/record.ts'

/** Masks what is shown, as recorders do it, unless the dashboard was told to show all. */
export interface Mask {
  readonly isOn: boolean
  record(record: DeliveryRecord): DeliveryRecord
  details(details: RecordDetails): RecordDetails
  /**
   * The message of an error, which may hold anything.
   *
   * @param body of the delivery: what is hidden in it is hidden in the text too.
   */
  text(text: string, body?: Uint8Array): string
  /** A URL without what lets somebody in: a password and a query. */
  url(url: string): string
  /** The document of a body; `undefined` if it is none. */
  document(body: Uint8Array): unknown
}

/** @param isOn the option `redact`. */
export function createMask(isOn: boolean): Mask {
  if (!isOn) return { isOn, record: identity, details: identity, text: identity, url: identity, document: parseBody }
  const withoutBody = createRecordMask(() => undefined, [])
  return {
    isOn,
    record: (record) => maskRecord(record, withoutBody),
    details({ difference, ...details }) {
      // A recorder that masks has done it already.
      if (details.isMasked) return { ...details, difference }
      return maskDetails(details, difference && toDifference(difference), createBodyMask(details.body))
    },
    url: (url) => url.replace(/\/\/[^/?#]*@/, '//…@').replace(/\?[^#]+/, '?…'),
    text: (text, body) => (body ? createBodyMask(body).text(text) : maskText(text)),
    document(body) {
      const masked = createBodyMask(body).body()
      return masked && parseBody(masked)
    },
  }
}

function identity<T>(value: T): T {
  return value
}

function createBodyMask(body: Uint8Array | undefined): RecordMask {
  return createRecordMask(() => body && parseBody(body), [])
}
