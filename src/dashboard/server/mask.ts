import { maskText } from '../../core/mask-text.ts'

/** Masks what is shown, unless the dashboard was told to show all. */
export interface Mask {
  readonly isOn: boolean
  /** Messages of errors, which may hold anything. */
  text(text: string): string
  /** A JSON:API document. */
  document(document: unknown): unknown
  header(name: string, value: string): string
}

/** @param isOn the option `redact`. */
export function createMask(isOn: boolean): Mask {
  if (!isOn) return { isOn, text: (text) => text, document: (document) => document, header: (_, value) => value }
  return {
    isOn,
    text: maskText,
    document: maskValue,
    header: (name, value) => (/^(x-commercelayer-|content-|host$|user-agent$|accept)/.test(name) ? value : MASK),
  }
}

const MASK = '…'
const PLAIN = /^(id|type|mode|number|status|.+_status|.+_at|currency_code|event|organization_id|kind)$/

function maskValue(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return PLAIN.test(name) ? value : MASK
  if (Array.isArray(value)) return value.map((one) => maskValue(one, name))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskValue(inner, key)]))
}
