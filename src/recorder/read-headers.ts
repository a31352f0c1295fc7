import type { HeadersLike } from '../drivers.ts'

type Entries = readonly (readonly [name: string, value: string])[]

/** Headers that let somebody in. */
const SECRET = /authorization|cookie|api-?key|password|secret|token/
const SIGNATURE = 'x-commercelayer-signature'
const SIGNATURE_CHARACTERS = 8
const MAX_HEADERS = 100
const MAX_VALUE = 2000

/** The headers in order, with names in lower case, the signature cut, and without those that let somebody in. */
export function readHeaders(headers: HeadersLike): Entries {
  const read: (readonly [name: string, value: string])[] = []
  for (const [field, value] of listEntries(headers)) {
    const name = field.toLowerCase()
    if (read.length === MAX_HEADERS) break
    if (SECRET.test(name)) continue
    const isCut = name === SIGNATURE && !value.endsWith('…')
    read.push([name, isCut ? `${value.slice(0, SIGNATURE_CHARACTERS)}…` : value.slice(0, MAX_VALUE)])
  }
  return read
}

function* listEntries(headers: HeadersLike): Generator<readonly [string, string]> {
  if (Symbol.iterator in headers) {
    for (const [name, value] of headers as Iterable<readonly [string, string]>) yield [String(name), String(value)]
    return
  }
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') yield [name, value]
    else if (Array.isArray(value)) for (const one of value) yield [name, String(one)]
  }
}
