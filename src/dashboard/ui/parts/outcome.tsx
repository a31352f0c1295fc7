import type { DeliveryItem, Resource } from '../../api.ts'
import { OUTCOMES } from '../words.ts'
import { Plain } from './text.tsx'

/** How a delivery ended, in a word and a color; for a refusal or failure with its code. */
export function OutcomeMark({ outcome, code }: Pick<DeliveryItem, 'outcome' | 'code'>) {
  return (
    <span class={`mark ${outcome}`}>
      {OUTCOMES[outcome] ?? outcome}
      {code && <small>{code}</small>}
    </span>
  )
}

/** `#2345678` of an order, else the id, with the type unless a column beside has it. */
export function ResourceName({
  resource,
  hasType = false,
}: {
  readonly resource: Resource
  readonly hasType?: boolean
}) {
  const name = resource.number === undefined ? resource.id : `#${resource.number}`
  return <Plain text={hasType ? `${resource.type} ${name}` : name} />
}
