import { checkOptions, type OptionRule } from '../check-options.ts'

/** Names a resource whose version a store keeps. */
export interface StoredResource {
  readonly type: string
  readonly id: string
  /** With secrets that have labels: the organization and the mode of the events. */
  readonly organizationId?: string | undefined
  readonly mode?: string | undefined
}

const isText = (value: unknown) => typeof value === 'string' && value !== ''
const TEXT: OptionRule<string> = { fallback: '', expected: 'text', isValid: isText }
const LABEL: OptionRule<string | undefined> = { fallback: undefined, expected: 'text', isValid: isText }
const RULES = { type: TEXT, id: TEXT, organizationId: LABEL, mode: LABEL }

/** The name under which stores keep the version of a resource. */
export function nameResource({ type, id, organizationId, mode }: StoredResource): string {
  const hasLabels = organizationId !== undefined || mode !== undefined
  return `${hasLabels ? `${organizationId ?? ''}/${mode ?? ''}/` : ''}${type}/${id}`
}

/** {@link nameResource} for what a user gives. @throws TypeError if it does not name a resource. */
export function checkResourceName(resource: unknown): string {
  const checked = checkOptions('store.erase', resource, RULES)
  if (checked.type && checked.id) return nameResource(checked)
  throw new TypeError('store.erase: `type` and `id` must be text.')
}
