/** Deeper than any real document, and not too deep for the call stack of the recursion. */
const MAX_DEPTH = 500

/** Characters that JSON may have to escape: control characters, `"`, `\` and surrogates. Most texts have none. */
const ESCAPED = /[^ !#-[\]-\ud7ff\ue000-\uffff]/

/**
 * Writes a JSON value in the canonical form of RFC 8785: no whitespace, the names of an object sorted by UTF-16 code
 * units, numbers and text as ECMAScript writes them.
 *
 * @throws RangeError if it is nested more than 500 levels deep or a number is out of range.
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
