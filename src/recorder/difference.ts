import { isAllowedField } from './allowed-fields.ts'
import { toBuffer } from './read-document.ts'
import type { ByteDifference } from './record.ts'

/** A difference as it is, and one without personal data. */
export interface Difference {
  readonly full: ByteDifference
  readonly masked: ByteDifference
}

const BEFORE = 50
const AFTER = 70

/**
 * Finds the first byte in which what was received differs from what was signed; `undefined` if they are the same.
 *
 * @example
 * findByteDifference(received, sent)?.offset
 */
export function findByteDifference(received: Uint8Array, signed: Uint8Array): ByteDifference | undefined {
  const offset = findOffset(received, signed)
  if (offset === undefined) return undefined
  return { offset, received: excerpt(toBuffer(received), offset), signed: excerpt(toBuffer(signed), offset) }
}

export function findDifference(received: Uint8Array, signed: Uint8Array): Difference | undefined {
  const full = findByteDifference(received, signed)
  if (!full) return undefined
  const { offset } = full
  const mask = (bytes: Uint8Array) => excerpt(Buffer.from(maskJson(toBuffer(bytes).toString('latin1'))), offset)
  return { full, masked: { offset, received: mask(received), signed: mask(signed) } }
}

/** Of a difference that somebody else has found: an excerpt alone does not say what is personal. */
export function toDifference(full: ByteDifference): Difference {
  const { offset, received, signed } = full
  return { full, masked: { offset, received: maskWords(received), signed: maskWords(signed) } }
}

function findOffset(one: Uint8Array, other: Uint8Array): number | undefined {
  const length = Math.max(one.length, other.length)
  for (let i = 0; i < length; i++) if (one[i] !== other[i]) return i
  return undefined
}

/** The text around an offset. It begins and ends with a whole character. */
function excerpt(bytes: Buffer, offset: number): string {
  let start = Math.max(0, offset - BEFORE)
  let end = Math.min(bytes.length, start === 0 ? BEFORE + AFTER : offset + AFTER)
  while (start > 0 && isContinuation(bytes[start])) start--
  while (end < bytes.length && isContinuation(bytes[end])) end--
  return bytes.subarray(start, end).toString('utf8')
}

function isContinuation(byte = 0): boolean {
  return byte >> 6 === 0b10
}

const STRING = /"(?:[^"\\]|\\.)*(?:"(?:\s*:)?|$)/gs

/** Masks the strings of a JSON text but for the names of fields that may be shown. The length stays the same. */
function maskJson(text: string): string {
  if (!/^\s*[{[]/.test(text)) return maskWords(text)
  let masked = ''
  let from = 0
  for (const { 0: string, index } of text.matchAll(STRING)) {
    masked += maskOutside(text.slice(from, index)) + (isShownName(string) ? string : maskWords(string))
    from = index + string.length
  }
  return masked + maskOutside(text.slice(from))
}

const STRUCTURE: readonly string[] = ['data', 'included', 'attributes', 'relationships', 'links', 'meta', 'metadata']

function isShownName(string: string): boolean {
  const name = /^"([a-z][a-z_]*)"\s*:$/.exec(string)?.[1]
  return name !== undefined && (isAllowedField(name) || STRUCTURE.includes(name))
}

/** Numbers of less than seven digits, and `true`, `false` and `null`, may be shown. */
function maskOutside(text: string): string {
  return text.replace(/[\w\x80-\uffff.+-]+/g, (word) =>
    /^(?:true|false|null|-?\d{1,6}(?:\.\d{1,6})?)$/.test(word) ? word : maskWords(word),
  )
}

/** What is escaped stays: that is where bytes differ. */
function maskWords(text: string): string {
  return text.replace(/\\u00(?:26|3[ce])|[a-z0-9\u0080-\uffff]/gi, (one) => (one.length > 1 ? one : 'x'))
}
