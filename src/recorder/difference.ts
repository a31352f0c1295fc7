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
  const mask = (bytes: Uint8Array) => maskExcerpt(toBuffer(bytes), offset)
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

/** The text around an offset. */
function excerpt(bytes: Buffer, offset: number): string {
  const { start, end } = findExcerpt(bytes, offset)
  return bytes.subarray(start, end).toString('utf8')
}

interface Span {
  readonly start: number
  readonly end: number
}

/** It begins and ends with a whole character. */
function findExcerpt(bytes: Buffer, offset: number): Span {
  let start = Math.max(0, offset - BEFORE)
  let end = Math.min(bytes.length, start === 0 ? BEFORE + AFTER : offset + AFTER)
  while (start > 0 && isContinuation(bytes[start])) start--
  while (end < bytes.length && isContinuation(bytes[end])) end--
  return { start, end }
}

function isContinuation(byte = 0): boolean {
  return byte >> 6 === 0b10
}

/**
 * The excerpt of a JSON text with its strings masked, but for the names of fields that may be shown. The length stays
 * the same. What is before the excerpt is only searched for where strings begin: this runs while a receiver answers.
 */
function maskExcerpt(bytes: Buffer, offset: number): string {
  const { start, end } = findExcerpt(bytes, offset)
  const isJson = /^\s*[{[]/.test(bytes.toString('latin1', 0, BEGINNING))
  if (!isJson) return maskWords(bytes.toString('latin1', start, end))
  let masked = ''
  let showsValue = false
  let depth = 0
  let metadataDepth = Number.POSITIVE_INFINITY
  for (let at = 0; at < end; ) {
    const quote = findQuote(bytes, at)
    for (let i = at; i < Math.min(quote, end); i++) {
      const change = readDepthChange(bytes[i])
      depth += change
      if (change < 0 && depth <= metadataDepth) metadataDepth = Number.POSITIVE_INFINITY
    }
    if (quote > start) masked += maskOutside(cut(bytes, at, quote, start, end), showsValue)
    if (quote >= end) break
    at = findStringEnd(bytes, quote)
    const mayBeMetadata = at - quote === METADATA.length + 2
    // Of most strings before the excerpt, nothing else is needed.
    if (!mayBeMetadata && at <= start && findQuote(bytes, at) <= start) continue
    const name = findName(bytes, quote, at)
    const showsName = depth <= metadataDepth && name !== undefined && (isAllowedField(name) || STRUCTURE.includes(name))
    showsValue = showsName && name !== METADATA
    if (name === METADATA) metadataDepth = Math.min(metadataDepth, depth)
    const string = cut(bytes, quote, at, start, end)
    masked += showsName ? string : maskWords(string)
  }
  return masked
}

const BEGINNING = 100
const METADATA = 'metadata'
const STRUCTURE: readonly string[] = ['data', 'included', 'attributes', 'relationships', 'links', 'meta', METADATA]
const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a]
const DEPTH_CHANGES: Readonly<Record<number, 1 | -1>> = { 123: 1, 91: 1, 125: -1, 93: -1 }
/** Of the longest name of a field that is shown, with its quotes. */
const MAX_NAME = 66

function readDepthChange(byte = 0): 1 | 0 | -1 {
  return DEPTH_CHANGES[byte] ?? 0
}

/** The next quote, or the end. */
function findQuote(bytes: Buffer, from: number): number {
  const quote = bytes.indexOf(QUOTE, from)
  return quote === -1 ? bytes.length : quote
}

/** Behind the closing quote. */
function findStringEnd(bytes: Buffer, start: number): number {
  for (let quote = findQuote(bytes, start + 1); quote < bytes.length; quote = findQuote(bytes, quote + 1)) {
    let escapes = 0
    while (bytes[quote - 1 - escapes] === BACKSLASH) escapes++
    if (escapes % 2 === 0) return quote + 1
  }
  return bytes.length
}

/** The text of a string that is the name of a field. */
function findName(bytes: Buffer, start: number, end: number): string | undefined {
  if (end - start > MAX_NAME) return undefined
  let next = end
  while (bytes[next] === 0x20 || (Number(bytes[next]) >= 0x09 && Number(bytes[next]) <= 0x0d)) next++
  if (bytes[next] !== COLON) return undefined
  return /^"([a-z][a-z_]*)"$/.exec(bytes.toString('latin1', start, end))?.[1]
}

/** The part of a span that is in the excerpt. */
function cut(bytes: Buffer, from: number, to: number, start: number, end: number): string {
  return bytes.toString('latin1', Math.max(from, start), Math.max(Math.min(to, end), start))
}

/** Numbers of less than seven digits, and `true`, `false` and `null`, may be shown as the value of a shown field. */
function maskOutside(text: string, mayShow: boolean): string {
  return text.replace(/[\w\x80-\uffff.+-]+/g, (word) =>
    mayShow && /^(?:true|false|null|-?\d{1,6}(?:\.\d{1,6})?)$/.test(word) ? word : maskWords(word),
  )
}

/** What is escaped stays: that is where bytes differ. */
function maskWords(text: string): string {
  return text.replace(/\\u00(?:26|3[ce])|[a-z0-9\u0080-\uffff]/gi, (one) => (one.length > 1 ? one : 'x'))
}
