/** Deeper than any real document, shallow enough for any stack: a value is written by calling itself for each level. */
const MAX_DEPTH = 500

/** What JSON may have to escape: control characters, `"`, `\` and surrogates. A text without it is spelled as it is, and most are. */
const ESCAPED = /[^ !#-[\]-\ud7ff\ue000-\uffff]/

/**
 * A JSON value in RFC 8785's canonical form: no white space, the names of an object in the order of their UTF-16 code units, numbers
 * and text as ECMAScript writes them.
 *
 * @throws RangeError that says why there is none: it is nested more than 500 levels deep, or a number is out of range.
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('a number is out of range')
  if (typeof value !== 'object' || value === null) return String(value)
  if (depth === MAX_DEPTH) throw new RangeError(`it is nested more than ${MAX_DEPTH} levels deep`)
  let text = ''
  let comma = ''
  if (Array.isArray(value)) {
    for (const item of value) {
      text += comma + canonicalJson(item, depth + 1)
      comma = ','
    }
    return `[${text}]`
  }
  const record = value as Readonly<Record<string, unknown>>
  for (const name of Object.keys(record).sort()) {
    text += `${comma}${quote(name)}:${canonicalJson(record[name], depth + 1)}`
    comma = ','
  }
  return `{${text}}`
}

function quote(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`
}
