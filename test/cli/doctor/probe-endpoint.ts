import type { Examination } from '../../../src/cli/doctor/examine.ts'
import { createOrders } from '../../../src/cli/doctor/orders.ts'
import { runProbes } from '../../../src/cli/doctor/run-probes.ts'

interface Options {
  readonly secret: string
  readonly topic?: string
  readonly genuine?: boolean
}

/** How long these take is up to the machine, on which other suites run at the same time. */
const TIMED = ['slow', '50 at once']

/** Probes an endpoint in this process. */
export async function probeEndpoint(url: string | URL, options: Options): Promise<Examination[]> {
  const { secret, topic = 'orders.place', genuine = true } = options
  const orders = createOrders(topic, secret)
  const { signal } = new AbortController()
  const found = await runProbes(new URL(url), { orders, genuine, signal, onProbe: () => {} })
  return found.filter(({ probe, came }) => !TIMED.includes(probe) || !/late|nothing|408/.test(came))
}

/** The names of the probes that found something: those that are wrong, in the same way too, and those to note. */
export function listFindings(found: readonly Examination[]): { readonly wrong: string[]; readonly notes: string[] } {
  const named = (...results: Examination['result'][]) =>
    found.filter(({ result }) => results.includes(result)).map(({ probe }) => probe)
  return { wrong: named('wrong', 'same'), notes: named('note') }
}
