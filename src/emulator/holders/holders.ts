import { randomBytes } from 'node:crypto'
import { EXTERNAL_RESOURCES, type ExternalResourceKind } from '../../commerce-layer/external-resources.ts'
import { randomId } from '../../wire/samples/ids.ts'

/** The type of the resource that has the URL and the secret of a kind. */
const HOLDER_TYPES: Readonly<Record<ExternalResourceKind, string>> = {
  prices: 'markets',
  'order-validation': 'markets',
  'shipping-cost': 'shipping_methods',
  promotion: 'external_promotions',
  tax: 'external_tax_calculators',
}

/** A circuit, as the API has it in attributes. */
export interface CircuitRecord {
  circuit_state: 'closed' | 'open'
  circuit_failure_count: number
}

/** The holder of an external resource, with the attributes of the API that matter for calls. */
export interface HolderRecord extends CircuitRecord {
  readonly id: string
  readonly type: string
  readonly kind: ExternalResourceKind
  readonly url: string
  readonly shared_secret: string
  readonly external_includes: readonly string[]
  /** Of a shipping method: the cost where there is no answer. */
  readonly price_amount_cents: number
  /** Circuits that are not the holder's: of line items for prices, of orders for their validation. */
  readonly circuits: Map<string, CircuitRecord>
}

/** What a holder is made of. */
export interface HolderAttributes {
  readonly secret?: string | undefined
  readonly externalIncludes?: readonly string[] | undefined
  readonly priceAmountCents?: number | undefined
}

export function createHolder(kind: ExternalResourceKind, url: string, attributes: HolderAttributes): HolderRecord {
  const { secret = randomBytes(16).toString('hex'), externalIncludes, priceAmountCents = 0 } = attributes
  return {
    id: randomId(),
    type: HOLDER_TYPES[kind],
    kind,
    url,
    shared_secret: secret,
    external_includes: externalIncludes ?? EXTERNAL_RESOURCES[kind].includes,
    price_amount_cents: priceAmountCents,
    circuit_state: 'closed',
    circuit_failure_count: 0,
    circuits: new Map(),
  }
}

const MAX_CIRCUITS = 1000

/** The circuit of a call: that of the resource for a market, and else that of the holder. */
export function findCircuit(holder: HolderRecord, resourceId: string): CircuitRecord {
  if (holder.type !== 'markets') return holder
  const known = holder.circuits.get(resourceId)
  if (known) return known
  const [oldest] = holder.circuits.keys()
  if (holder.circuits.size >= MAX_CIRCUITS && oldest !== undefined) holder.circuits.delete(oldest)
  const circuit: CircuitRecord = { circuit_state: 'closed', circuit_failure_count: 0 }
  holder.circuits.set(resourceId, circuit)
  return circuit
}

/** Documented: the circuit opens after more than 30 failures in a row. */
const MOST_FAILURES = 30

/** Counts a success, a failure, or a call that an open circuit has blocked, which is a failure too. */
export function countAnswer(circuit: CircuitRecord, isFailure: boolean): void {
  if (!isFailure) {
    if (circuit.circuit_state === 'closed') circuit.circuit_failure_count = 0
    return
  }
  circuit.circuit_failure_count += 1
  if (circuit.circuit_failure_count > MOST_FAILURES) circuit.circuit_state = 'open'
}

/** `_reset_circuit`: closes all circuits of a holder. */
export function resetCircuits(holder: HolderRecord): void {
  Object.assign(holder, { circuit_state: 'closed', circuit_failure_count: 0 })
  holder.circuits.clear()
}
