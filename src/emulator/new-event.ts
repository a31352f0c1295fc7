import { randomId } from '../wire/samples/ids.ts'
import { createSubject } from '../wire/samples/subject.ts'
import type { EventRecord, Records } from './records.ts'
import { isCallable } from './sender/circuit.ts'

/** Makes an event of a resource, which is changes to a sample or a whole resource. */
export type CreateEvent = (name: string, resource: object) => EventRecord

/** The number of the first order, as in the examples of the SDK. */
const FIRST_ORDER = 1234

/** Creates the function that makes events. No two of them have the same time. */
export function createEventFactory({ webhooks }: Records): CreateEvent {
  let count = 0
  let last = 0
  return (name, resource) => {
    const subscribed = [...webhooks.values()].filter(({ topic }) => topic === name)
    const attach = subscribed.flatMap(({ include_resources }) => include_resources ?? [])
    last = Math.max(Date.now(), last + 1)
    const at = new Date(last).toISOString()
    const occurrence = { at, orderNumber: String(FIRST_ORDER + count++) }
    return {
      id: randomId(),
      type: 'events',
      name,
      created_at: at,
      updated_at: at,
      reference: null,
      reference_origin: null,
      metadata: {},
      resource: structuredClone(createSubject(name, resource, { attach, occurrence })),
    }
  }
}

/** Says why no webhook of a topic is called; `undefined` if one is. */
export function explainSilence(name: string, records: Records): string | undefined {
  const subscribed = [...records.webhooks.values()].filter(({ topic }) => topic === name)
  if (subscribed.some((webhook) => isCallable(records, webhook))) return undefined
  if (subscribed.length === 0) return `${name}: no webhook has this topic, so nothing was called.`
  const isOpen = subscribed.some(({ disabled_at }) => disabled_at === null)
  return isOpen
    ? `${name}: the circuit of its webhook is open, so nothing was called. Reset it.`
    : `${name}: its webhook is disabled, so nothing was called. Enable it.`
}
