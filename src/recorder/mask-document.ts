import { isAllowedValue, isFieldName, isIdentifier } from './allowed-fields.ts'
import { type LooseResource, readNumber, toObject } from './read-document.ts'

/** What takes the place of a value that is not shown. */
export const MASKED = '…'

export interface MaskOptions {
  /** Names of further attributes whose values are shown, such as `sku_code`. Default: none. */
  readonly allow?: readonly string[] | undefined
}

/**
 * Masks a JSON:API document: what remains are ids and types, times, numbers and amounts, statuses and codes. All other
 * values are replaced by `…`, and so is all of `metadata`. The list of what remains is in docs/recorder.md.
 *
 * @param document a parsed JSON value. It is not changed. What is no document is masked as a whole.
 * @example
 * const { data } = maskDocument(JSON.parse(body))
 */
export function maskDocument(document: unknown, options: MaskOptions = {}): unknown {
  return mask(document, options.allow ?? [])
}

/** @param onMasked is called with each text that is not shown, and the name of its attribute. */
export function mask(
  document: unknown,
  allow: readonly string[],
  onMasked?: (text: string, field: string) => void,
): unknown {
  if (!('data' in toObject(document))) return MASKED
  const hide = (value: unknown, field: string) => {
    if (onMasked) visitTexts(value, (text) => onMasked(text, field))
    return MASKED
  }
  const toMembers = (members: unknown, show: (name: string, value: unknown) => boolean) =>
    mapMembers(members, (name, value) => (show(name, value) ? value : hide(value, name)))
  const isShown = (name: string, value: unknown) =>
    value === null || (name !== 'metadata' && (typeof value === 'boolean' || isAllowedValue(name, value)))
  const isAllowed = (name: string, value: unknown) =>
    isShown(name, value) || (allow.includes(name) && name !== 'metadata' && typeof value !== 'object')

  const toIdentifier = (value: unknown): unknown => {
    if (value === null) return null
    if (Array.isArray(value)) return value.map((one) => (Array.isArray(one) ? MASKED : toIdentifier(one)))
    const { type, id } = toObject(value)
    return { type: isFieldName(type) ? type : MASKED, id: isIdentifier(id) ? id : MASKED }
  }
  const toRelationship = (_: string, value: unknown) => {
    const { data } = toObject(value)
    return data === undefined ? {} : { data: toIdentifier(data) }
  }
  const toResource = (value: unknown): unknown => {
    if (value === null || typeof value !== 'object') return value === null ? null : hide(value, '')
    if (Array.isArray(value)) return value.map((one) => (Array.isArray(one) ? hide(one, '') : toResource(one)))
    const { type, id, attributes, relationships, meta, ...others } = value as Readonly<Record<string, unknown>>
    const number = readNumber(value as LooseResource)
    const showsAttribute = (name: string, one: unknown) =>
      (name === 'number' && number !== undefined) || isAllowed(name, one)
    return {
      ...(toIdentifier({ type, id }) as object),
      ...(attributes !== undefined && { attributes: toMembers(attributes, showsAttribute) }),
      ...(relationships !== undefined && { relationships: mapMembers(relationships, toRelationship) }),
      ...(meta !== undefined && { meta: toMembers(meta, isShown) }),
      ...toMembers(others, () => false),
    }
  }

  return mapMembers(document, (name, value) => {
    if (name === 'data' || name === 'included') return toResource(value)
    return name === 'meta' ? toMembers(value, isShown) : hide(value, name)
  })
}

/** What has no name that Commerce Layer could have given it is left out: the name may be personal. */
function mapMembers(object: unknown, map: (name: string, value: unknown) => unknown): Record<string, unknown> {
  const named = Object.entries(toObject(object)).filter(([name]) => isFieldName(name))
  return Object.fromEntries(named.map(([name, value]) => [name, map(name, value)]))
}

/** Without recursion: `metadata` may be nested deeper than the call stack. */
function visitTexts(value: unknown, visit: (text: string) => void): void {
  const left = [value]
  while (left.length > 0) {
    const one = left.pop()
    if (typeof one === 'string') visit(one)
    else if (typeof one === 'number') visit(String(one))
    else if (typeof one === 'object' && one !== null) {
      if (!Array.isArray(one)) for (const name of Object.keys(one)) visit(name)
      for (const inner of Object.values(one)) left.push(inner)
    }
  }
}
