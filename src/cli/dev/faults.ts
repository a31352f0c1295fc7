import { InvalidArgumentError } from 'commander'
import type { Faults } from 'hooklayer/emulator'
import type { Fault } from '../trigger/faults.ts'

/**
 * The faults of the emulator by the names that people type, in the order in which they are offered: those of
 * `trigger --fault`, and some that only the emulator has.
 */
const FAULTS = {
  duplicate: 'duplicate',
  reorder: 'reorder',
  'delay-ms': 'delayMs',
  cut: 'dropMidBody',
  'split-chunks': 'splitChunks',
  'wrong-signature': 'wrongSignature',
  'other-topic': 'wrongTopic',
  'retry-after-success': 'retryAfterSuccess',
  slow: 'slowBody',
} as const satisfies Readonly<Record<Fault, keyof Faults> & Record<string, keyof Faults>>

export const FAULT_NAMES = Object.keys(FAULTS)

/**
 * Reads `duplicate=0.3,reorder`: `delay-ms` is a time, others are a probability. A fault without a number happens with
 * each delivery, and a delay is a second then. The names of the emulator's option `faults` are taken too.
 */
export function toFaults(text: string): Faults {
  const faults: Record<string, number> = {}
  for (const part of text.split(',').map((one) => one.trim())) {
    const [name = '', value] = part.split('=')
    const [, fault] = Object.entries(FAULTS).find((names) => names.includes(name)) ?? []
    if (fault === undefined || Number.isNaN(Number(value ?? 1))) {
      throw new InvalidArgumentError(`A fault is one of ${FAULT_NAMES.join(', ')}, as in duplicate=0.3.`)
    }
    faults[fault] = Number(value ?? (fault === 'delayMs' ? 1000 : 1))
  }
  return faults
}

/** The name of a fault for people. */
export function nameFault(fault: string): string {
  return Object.entries(FAULTS).find(([, own]) => own === fault)?.[0] ?? fault
}
