import { useState } from 'preact/hooks'

export type SampleResource = Readonly<Record<string, unknown>>

interface FormProps {
  readonly resource: SampleResource
  /** Says which fields there are and of which type, also while a field is empty. */
  readonly original: SampleResource
  readonly isDisabled: boolean
  readonly onChange: (resource: SampleResource) => void
}

type Field = { readonly path: readonly string[]; readonly value: unknown; readonly original: unknown }

/** What handlers look at most; these come first. */
const COMMON = [
  'number',
  'status',
  'payment_status',
  'fulfillment_status',
  'customer_email',
  'email',
  'name',
  'code',
  'sku_code',
  'quantity',
  'currency_code',
  'country_code',
  'language_code',
  'total_amount_cents',
  'amount_cents',
  'placed_at',
  'reference',
  'metadata',
]

export function SampleForm({ resource, original, isDisabled, onChange }: FormProps) {
  const [search, setSearch] = useState('')
  const wanted = search.trim().toLowerCase()
  const fields = listFields(resource, original)
  const matching = wanted ? fields.filter(({ path }) => path.join('.').includes(wanted)) : fields
  const isCommon = ({ path }: Field) => path.length === 1 && COMMON.includes(path[0] ?? '')
  const common = wanted ? matching : COMMON.flatMap((name) => fields.filter(({ path }) => path.join('.') === name))
  const rest = wanted ? [] : fields.filter((field) => !isCommon(field))
  const show = (field: Field) => (
    <FieldInput
      key={field.path.join('.')}
      field={field}
      onChange={(value) => onChange(setAt(resource, field.path, value))}
    />
  )
  return (
    <fieldset class="fields" disabled={isDisabled}>
      <legend>Fields</legend>
      <input
        type="search"
        aria-label="Find a field"
        placeholder="Find a field"
        value={search}
        onInput={({ currentTarget }) => setSearch(currentTarget.value)}
      />
      {common.map(show)}
      {common.length === 0 && <p class="quiet">No field has this name.</p>}
      {rest.length > 0 && (
        <details>
          <summary>All other fields ({rest.length})</summary>
          {rest.map(show)}
        </details>
      )}
    </fieldset>
  )
}

function FieldInput({ field, onChange }: { readonly field: Field; readonly onChange: (value: unknown) => void }) {
  const { path, value, original } = field
  const name = path.join('.')
  if (typeof original === 'boolean') {
    return (
      <label class="field">
        <span>{name}</span>
        <input
          type="checkbox"
          checked={value === true}
          onChange={({ currentTarget }) => onChange(currentTarget.checked)}
        />
      </label>
    )
  }
  const isNumber = typeof original === 'number'
  return (
    <label class="field">
      <span>{name}</span>
      <input
        {...(isNumber ? { type: 'number', step: 'any' } : { type: 'text' })}
        value={value === null || value === undefined ? '' : String(value)}
        placeholder={value === null ? 'null' : ''}
        onInput={({ currentTarget: { value: text } }) => {
          onChange(text === '' && (isNumber || original === null) ? null : isNumber ? Number(text) : text)
        }}
      />
    </label>
  )
}

/** Fields with a plain value, at the top and one level below. */
function listFields(resource: SampleResource, original: SampleResource): readonly Field[] {
  const names = [...new Set([...Object.keys(original), ...Object.keys(resource)])]
  return names.flatMap((name): Field[] => {
    if (name === 'type') return []
    const [value, before] = [resource[name], original[name] ?? resource[name]]
    if (!isObject(before)) return Array.isArray(before) ? [] : [{ path: [name], value, original: before }]
    const inner = isObject(value) ? value : {}
    return Object.keys({ ...before, ...inner }).flatMap((key): Field[] => {
      const innerBefore = before[key] ?? inner[key]
      if (key === 'type' || (typeof innerBefore === 'object' && innerBefore !== null)) return []
      return [{ path: [name, key], value: inner[key], original: innerBefore }]
    })
  })
}

function setAt(resource: SampleResource, [name = '', ...rest]: readonly string[], value: unknown): SampleResource {
  if (rest.length === 0) return { ...resource, [name]: value }
  const inner = resource[name]
  return { ...resource, [name]: setAt(isObject(inner) ? inner : {}, rest, value) }
}

function isObject(value: unknown): value is SampleResource {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
