import * as z from 'zod'
import { type AskedRecord, type HolderRecord, resetCircuit } from '../holders/holders.ts'
import type { Records } from '../records.ts'
import { flag } from './checks.ts'

/** Holders are changed in no other way: `addHolder` makes them. */
export const CIRCUIT_UPDATE = z.strictObject({ _reset_circuit: flag })

/** Closes the circuit of a record. Two markets that have asked about one order have one circuit each here. */
export function updateCircuit(
  { holders }: Records,
  record: HolderRecord | AskedRecord,
  { _reset_circuit }: z.infer<typeof CIRCUIT_UPDATE>,
): void {
  if (!_reset_circuit) return
  resetCircuit(record)
  for (const { circuits } of holders.values()) {
    const asked = circuits.get(record.id)
    if (asked?.type === record.type) resetCircuit(asked)
  }
}
