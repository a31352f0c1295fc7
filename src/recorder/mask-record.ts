import { maskText } from '../core/mask-text.ts'
import type { ResourceReference } from '../drivers.ts'
import { isFieldName, isIdentifier } from './allowed-fields.ts'
import type { Difference } from './difference.ts'
import { MASKED, mask } from './mask-document.ts'
import { isNumber } from './read-document.ts'
import type { DeliveryRecord, RecordDetails, RecordedError, RecordedHandler } from './record.ts'

/** What a record says, without personal data. */
export interface RecordMask {
  /** The masked document as JSON; `undefined` if the body is none. */
  body(): Uint8Array | undefined
  /** Masks the text of an error: by its form, and what the document itself hides. */
  text(text: string): string
}

/** Texts in these fields are masked word by word in errors. */
const PERSONAL = /name|line_|city|company|phone|email|address|zip|notes/

/** @param readDocument is called once, when it is first needed. */
export function createMask(readDocument: () => unknown, allow: readonly string[]): RecordMask {
  let read: { readonly document: unknown } | undefined
  let hidden: ReadonlySet<string> | undefined
  const readOnce = () => {
    read ??= { document: readDocument() }
    return read.document
  }
  return {
    body() {
      const document = readOnce()
      return document === undefined ? undefined : Buffer.from(JSON.stringify(mask(document, allow)))
    },
    text(text) {
      hidden ??= findHidden(readOnce(), allow)
      return hideTexts(maskText(text), hidden)
    },
  }
}

/** What a document holds that is not shown, in lower case: whole texts, and the words of names and addresses. */
function findHidden(document: unknown, allow: readonly string[]): ReadonlySet<string> {
  const hidden = new Set<string>()
  mask(document, allow, (text, field) => {
    if (text.length > 2 && text.length < 200) hidden.add(text.toLowerCase())
    if (PERSONAL.test(field)) for (const [word] of text.matchAll(WORD)) hidden.add(word.toLowerCase())
  })
  return hidden
}

const WORD = /[\p{L}\p{N}][\p{L}\p{N}'’-]+/gu

/** Replaces words, and sequences of up to six words, that are hidden. */
function hideTexts(text: string, hidden: ReadonlySet<string>): string {
  if (hidden.size === 0) return text
  const words = Array.from(text.matchAll(/\S+/g), ({ 0: word, index }) => ({ start: index, end: index + word.length }))
  let result = ''
  let from = 0
  for (let i = 0; i < words.length; i++) {
    const length = countHidden(text, words, i, hidden)
    const first = words[i]
    const last = words[i + length - 1]
    if (!first || !last || length === 0) continue
    result += `${text.slice(from, first.start)}${MASKED}`
    from = last.end
    i += length - 1
  }
  return (result + text.slice(from)).replace(WORD, (word) => (hidden.has(word.toLowerCase()) ? MASKED : word))
}

/** How many words from one on are hidden together; 0 if none are. */
function countHidden(
  text: string,
  words: readonly { readonly start: number; readonly end: number }[],
  from: number,
  hidden: ReadonlySet<string>,
): number {
  for (let length = Math.min(6, words.length - from); length > 0; length--) {
    const [first, last] = [words[from], words[from + length - 1]]
    const part = first && last ? text.slice(first.start, last.end).toLowerCase() : ''
    if (hidden.has(part) || hidden.has(trimMarks(part))) return length
  }
  return 0
}

/** Without quotes, commas and other marks at its ends. */
function trimMarks(text: string): string {
  const letters = Array.from(text.matchAll(/[\p{L}\p{N}]/gu), ({ 0: letter, index }) => [index, index + letter.length])
  return text.slice(letters[0]?.[0] ?? 0, letters.at(-1)?.[1] ?? 0)
}

/** A row of a list without personal data. */
export function maskRecord<R extends DeliveryRecord>(record: R, { text }: RecordMask): R {
  const { resource, organizationId, error } = record
  return {
    ...record,
    resource: resource && maskReference(resource),
    organizationId: isIdentifier(organizationId) ? organizationId : undefined,
    error: error && maskError(error, text),
  }
}

function maskReference({ type, id, number }: ResourceReference): ResourceReference | undefined {
  if (!isFieldName(type) || !isIdentifier(id)) return undefined
  return { type, id, ...(isNumber(number) && { number }) }
}

/** The details of a record without personal data. */
export function maskDetails(
  details: Omit<RecordDetails, 'difference'>,
  difference: Difference | undefined,
  mask: RecordMask,
): RecordDetails {
  const { method, headers, handlers } = details
  return {
    ...maskRecord(details, mask),
    method: method && (/^[A-Z]{1,16}$/.test(method) ? method : MASKED),
    headers: headers.map(([name, value]) => [name, isShownHeader(name, value) ? value : MASKED] as const),
    handlers: handlers.map((handler) => maskHandler(handler, mask.text)),
    body: mask.body(),
    isMasked: true,
    difference: difference?.masked,
  }
}

function maskError(error: RecordedError, text: RecordMask['text']): RecordedError {
  const { message, hint, cause } = error
  // The receiver's own sentences quote nothing, but a handler may throw an error of the same class.
  return { ...error, message: maskText(message), hint: hint && maskText(hint), cause: cause && text(cause) }
}

function maskHandler(handler: RecordedHandler, text: RecordMask['text']): RecordedHandler {
  return { ...handler, error: handler.error && text(handler.error) }
}

/** Headers that are shown, and the form of their values. */
const SHOWN_HEADERS: Readonly<Record<string, RegExp>> = {
  accept: /^[\w/*.,;=+ -]{1,100}$/,
  connection: /^[\w, -]{1,40}$/,
  'content-encoding': /^[\w, -]{1,40}$/,
  'content-length': /^\d{1,12}$/,
  'content-type': /^[\w/.+-]{1,60}(?:; ?charset=[\w-]{1,20})?$/,
  'transfer-encoding': /^[\w, -]{1,40}$/,
  traceparent: /^[\da-f-]{55}$/,
  'x-commercelayer-signature': /^[\w+/=]{0,8}…$/,
  'x-commercelayer-topic': /^[a-z_]{1,60}\.[a-z_]{1,60}$/,
}

function isShownHeader(name: string, value: string): boolean {
  return Object.hasOwn(SHOWN_HEADERS, name) && Boolean(SHOWN_HEADERS[name]?.test(value))
}
