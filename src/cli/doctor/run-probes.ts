import { setMaxListeners } from 'node:events'
import { CliError } from '../cli-error.ts'
import { DELIVERIES } from './delivery-probes.ts'
import { evaluateProbe, type ProbeResult } from './evaluate-probe.ts'
import type { Probe, Suite } from './probe.ts'
import type { ProbeFixture } from './probe-fixture.ts'
import { type Answer, sendRequest } from './send-request.ts'

interface RunOptions {
  readonly fixture: ProbeFixture
  /** Default: that of webhooks. */
  readonly suite?: Suite
  /** Whether signed deliveries are sent. */
  readonly genuine: boolean
  readonly signal: AbortSignal
  /** Called after each probe. */
  readonly onProbe: (done: number, name: string) => void
}

/** Twice as long as Commerce Layer waits. */
const TIMEOUT_MS = 10_000
const PROBES_AT_ONCE = 8
/** Where both a forged and a signed delivery get this, there is no receiver. */
const NO_ROUTE: ReadonlySet<string> = new Set(['404', '405'])

/**
 * Sends all probes to an endpoint. The two that the others are compared with come first, then most side by side, then
 * the load, then alone what was too slow, and at last whether the endpoint is still there.
 *
 * @returns what came of each, in the order of the table.
 * @throws CliError `UNREACHABLE` where nothing answers the first.
 */
export async function runProbes(url: URL, options: RunOptions): Promise<ProbeResult[]> {
  const { genuine, signal, suite = DELIVERIES } = options
  setMaxListeners(0, signal) // One for each request that is under way.
  const probes = listProbes(suite.others, genuine)
  const found = new Map<Probe, ProbeResult>()
  const bases: { -readonly [Kind in Probe['kind']]?: ProbeResult } = {}
  const run = async (probe: Probe) => {
    const answers = await sendAll(url, probe, options)
    if (probe === suite.forged) checkReachable(url, answers[0])
    const result = evaluateProbe(probe, answers, bases[probe.kind])
    found.set(probe, result)
    options.onProbe(found.size, probe.name)
    return result
  }
  bases.forged = await run(suite.forged)
  if (genuine) bases.genuine = await run(suite.plain)
  if ([bases.forged, bases.genuine].every((basis) => basis && NO_ROUTE.has(basis.came))) return [...found.values()]
  const queue = probes.filter(({ name }) => name !== '50 at once').values()
  await Promise.all(
    Array.from({ length: PROBES_AT_ONCE }, async () => {
      for (const probe of queue) await run(probe)
    }),
  )
  for (const probe of probes.filter(({ name }) => name === '50 at once')) await run(probe)
  for (const probe of probes.filter((one) => mayBeBusy(found.get(one)))) await run(probe)
  await run(suite.afterwards)
  signal.throwIfAborted()
  return listAll(suite).flatMap((probe) => found.get(probe) ?? [])
}

/** What may only have been slow beside the others is probed once more, alone. */
function mayBeBusy(result: ProbeResult | undefined): boolean {
  return result?.result === 'wrong' && /late|nothing|closed|^(408|429|503)$/.test(result.came)
}

/** How many probes are sent. */
export function countProbes(genuine: boolean, suite: Suite = DELIVERIES): number {
  return listProbes(listAll(suite), genuine).length
}

function listAll({ forged, plain, others, afterwards }: Suite): Probe[] {
  return [forged, plain, ...others, afterwards]
}

function listProbes(probes: readonly Probe[], genuine: boolean): Probe[] {
  return probes.filter(({ kind, isSigned = false }) => genuine || (kind === 'forged' && !isSigned))
}

async function sendAll(url: URL, probe: Probe, { fixture, signal }: RunOptions): Promise<Answer[]> {
  const answers: Answer[] = []
  for (const requests of await probe.request(fixture)) {
    answers.push(
      ...(await Promise.all(requests.map((one) => sendRequest(url, one, { timeoutMs: TIMEOUT_MS, signal })))),
    )
  }
  return answers
}

/** An error of the system is explained by its code, like that of any other command. */
function checkReachable({ host }: URL, answer: Answer | undefined): void {
  if (answer?.kind === 'none') {
    throw new CliError('UNREACHABLE', `${host} did not answer within ${TIMEOUT_MS / 1000} seconds.`)
  }
  if (answer?.kind !== 'closed') return
  const { error } = answer
  if (error && /^E[A-Z]+$/.test(String((error as NodeJS.ErrnoException).code))) throw error
  throw new CliError('UNREACHABLE', `${host} does not speak HTTP: ${error?.message ?? 'it closed the connection.'}`)
}
