import { randomBytes } from 'node:crypto'
import {
  EXTERNAL_HOLDERS,
  EXTERNAL_RESOURCES,
  type ExternalResourceKind,
} from '../../commerce-layer/external-resources.ts'
import { UNANSWERED_TO_OPEN } from '../../commerce-layer/limits.ts'
import { randomId } from '../../wire/samples/ids.ts'
import { SHARED_ATTRIBUTES } from '../../wire/schema.ts'

/** A circuit, as the API has it in attributes. */
export interface CircuitRecord {
  circuit_state: 'closed' | 'open'
  circuit_failure_count: number
}

/** What all records of the API have. */
interface SharedFields {
  readonly created_at: string
  updated_at: string
  reference: string | null
  reference_origin: string | null
  metadata: Record<string, unknown>
}

/** An order or a line item, as far as the emulator knows it: its circuit. */
export interface AskedRecord extends CircuitRecord, SharedFields {
  readonly id: string
  readonly type: 'orders' | 'line_items'
}

/** The circuit of an order or a line item that a market has asked about. */
export type EmulatedCircuit = Readonly<Pick<AskedRecord, 'id' | 'type' | keyof CircuitRecord>>

/** The holder of an external resource, with the attributes of the API that matter for calls. */
export interface HolderRecord extends CircuitRecord, SharedFields {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly kind: ExternalResourceKind
  readonly url: string
  readonly shared_secret: string
  readonly external_includes: readonly string[]
  /** Of a shipping method: the cost where there is no answer. */
  readonly price_amount_cents: number
  /** `url` under the name that the type has for it. A market has two of them, and one is null. */
  readonly external_prices_url?: string | null
  readonly external_order_validation_url?: string | null
  readonly promotion_url?: string
  readonly tax_calculator_url?: string
  /** Of a shipping method. */
  readonly scheme?: 'external'
  /** Circuits that are not the holder's: of line items for prices, of orders for their validation. */
  readonly circuits: Map<string, AskedRecord>
}

/** What a holder is made of. */
interface HolderAttributes {
  readonly secret?: string | undefined
  readonly externalIncludes?: readonly string[] | undefined
  readonly priceAmountCents?: number | undefined
}

export function createHolder(kind: ExternalResourceKind, url: string, attributes: HolderAttributes): HolderRecord {
  const { secret = randomBytes(16).toString('hex'), externalIncludes, priceAmountCents = 0 } = attributes
  const { type, urlAttribute } = EXTERNAL_HOLDERS[kind]
  return {
    id: randomId(),
    type,
    kind,
    name: `${kind} of the emulator`,
    url,
    shared_secret: secret,
    external_includes: externalIncludes ?? EXTERNAL_RESOURCES[kind].includes,
    price_amount_cents: priceAmountCents,
    ...(type === 'markets' && { external_prices_url: null, external_order_validation_url: null }),
    ...(type === 'shipping_methods' && { scheme: 'external' as const }),
    [urlAttribute]: url,
    circuit_state: 'closed',
    circuit_failure_count: 0,
    circuits: new Map(),
    ...createSharedFields(),
  }
}

function createSharedFields(): SharedFields {
  const now = new Date().toISOString()
  return { ...structuredClone(SHARED_ATTRIBUTES), created_at: now, updated_at: now }
}

const MAX_CIRCUITS = 1000

/** The circuit of a call: that of the resource for a market, and else that of the holder. */
export function findCircuit(holder: HolderRecord, resourceId: string): CircuitRecord {
  if (holder.type !== 'markets') return holder
  const known = holder.circuits.get(resourceId)
  if (known) return known
  const [oldest] = holder.circuits.keys()
  if (holder.circuits.size >= MAX_CIRCUITS && oldest !== undefined) holder.circuits.delete(oldest)
  const circuit: AskedRecord = {
    id: resourceId,
    type: holder.kind === 'prices' ? 'line_items' : 'orders',
    circuit_state: 'closed',
    circuit_failure_count: 0,
    ...createSharedFields(),
  }
  holder.circuits.set(resourceId, circuit)
  return circuit
}

/** Counts a success, a failure, or a call that an open circuit has blocked, which is a failure too. */
export function countAnswer(circuit: CircuitRecord, isFailure: boolean): void {
  if (!isFailure) {
    if (circuit.circuit_state === 'closed') circuit.circuit_failure_count = 0
    return
  }
  circuit.circuit_failure_count += 1
  if (circuit.circuit_failure_count >= UNANSWERED_TO_OPEN) circuit.circuit_state = 'open'
}

/** `_reset_circuit`. */
export function resetCircuit(circuit: CircuitRecord): void {
  Object.assign(circuit, { circuit_state: 'closed', circuit_failure_count: 0, updated_at: new Date().toISOString() })
}

/** A market's circuits as a list, without what all records have. */
export function listCircuits({ circuits }: HolderRecord): readonly EmulatedCircuit[] {
  return Array.from(circuits.values(), ({ id, type, circuit_state, circuit_failure_count }) => {
    return { id, type, circuit_state, circuit_failure_count }
  })
}

/** Closes all circuits of a holder. */
export function resetCircuits(holder: HolderRecord): void {
  resetCircuit(holder)
  holder.circuits.clear()
}
