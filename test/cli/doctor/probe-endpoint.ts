import type { ProbeResult } from '../../../src/cli/doctor/evaluate-probe.ts'
import { createDeliveryFixture } from '../../../src/cli/doctor/probe-fixture.ts'
import { runProbes } from '../../../src/cli/doctor/run-probes.ts'

interface Options {
  readonly secret: string
  readonly topic?: string
  readonly genuine?: boolean
}

/** How long these take is up to the machine, on which other suites run at the same time. */
const TIMED = ['slow', '50 at once']

/** Probes an endpoint in this process. */
export async function probeEndpoint(url: string | URL, options: Options): Promise<ProbeResult[]> {
  const { secret, topic = 'orders.place', genuine = true } = options
  const fixture = createDeliveryFixture(topic, secret)
  const { signal } = new AbortController()
  const found = await runProbes(new URL(url), { fixture, genuine, signal, onProbe: () => {} })
  return found.filter(({ probe, came }) => !TIMED.includes(probe) || !/late|nothing|408/.test(came))
}

/** The names of the probes that found something: those that are wrong, in the same way too, and those to note. */
export function listFindings(found: readonly ProbeResult[]): { readonly wrong: string[]; readonly notes: string[] } {
  const named = (...results: ProbeResult['result'][]) =>
    found.filter(({ result }) => results.includes(result)).map(({ probe }) => probe)
  return { wrong: named('wrong', 'same'), notes: named('note') }
}
