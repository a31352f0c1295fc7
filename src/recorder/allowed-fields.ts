type IsAllowed = (value: unknown) => boolean

const isNumber: IsAllowed = (value) => typeof value === 'number'
const hasForm =
  (form: RegExp): IsAllowed =>
  (value) =>
    typeof value === 'string' && form.test(value)

const isTime = hasForm(/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/)
const isWord = hasForm(/^[a-z][a-z_]{0,39}$/)
const isId = hasForm(/^[\w-]{1,64}$/)

/**
 * The attributes that are shown, by name and by form: a value of another form is masked. A star stands for the rest of
 * a name. docs/recorder.md has the same list.
 */
export const ALLOWED_FIELDS: Readonly<Record<string, IsAllowed>> = {
  '*_at': isTime,
  '*_cents': isNumber,
  '*_float': isNumber,
  '*_count': isNumber,
  '*_quantity': isNumber,
  '*_rate': isNumber,
  quantity: isNumber,
  position: isNumber,
  version: isNumber,
  status: isWord,
  '*_status': isWord,
  item_type: isWord,
  currency_code: hasForm(/^[A-Z]{3}$/),
  language_code: hasForm(/^[a-z]{2}(?:-[A-Z]{2})?$/),
  mode: hasForm(/^(?:test|live)$/),
  organization_id: isId,
}

/** Whether values of an attribute may be shown at all. */
export function isAllowedField(name: string): boolean {
  return find(name) !== undefined
}

/** Whether a value of an attribute may be shown. */
export function isAllowedValue(name: string, value: unknown): boolean {
  return find(name)?.(value) ?? false
}

/** Whether a value has the form of an id of Commerce Layer. */
export function isIdentifier(value: unknown): value is string {
  return isId(value)
}

/** Whether a text has the form of a type, or of the name of a field. */
export function isFieldName(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z][a-z0-9_]{0,63}$/.test(value)
}

function find(name: string): IsAllowed | undefined {
  if (Object.hasOwn(ALLOWED_FIELDS, name)) return ALLOWED_FIELDS[name]
  const last = name.lastIndexOf('_')
  return last > 0 && isFieldName(name) ? ALLOWED_FIELDS[`*${name.slice(last)}`] : undefined
}
