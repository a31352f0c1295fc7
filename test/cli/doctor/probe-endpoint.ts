import type { Examination } from '../../../src/cli/doctor/examine.ts'
import { createOrders } from '../../../src/cli/doctor/orders.ts'
import { runProbes } from '../../../src/cli/doctor/run-probes.ts'

interface Options {
  readonly secret: string
  readonly topic?: string
  readonly genuine?: boolean
}

/** Probes an endpoint in this process. */
export function probeEndpoint(url: string | URL, options: Options): Promise<Examination[]> {
  const { secret, topic = 'orders.place', genuine = true } = options
  const orders = createOrders(topic, secret)
  return runProbes(new URL(url), { orders, genuine, signal: new AbortController().signal, onProbe: () => {} })
}

/** The names of the probes that found something: those that are wrong, in the same way too, and those to note. */
export function listFindings(found: readonly Examination[]): { readonly wrong: string[]; readonly notes: string[] } {
  const named = (...results: Examination['result'][]) =>
    found.filter(({ result }) => results.includes(result)).map(({ probe }) => probe)
  return { wrong: named('wrong', 'same'), notes: named('note') }
}
