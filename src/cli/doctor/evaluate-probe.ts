import type { Failure, Finding, GeneralFindings, Probe } from './probe.ts'
import type { Answer } from './send-request.ts'

export interface ProbeResult {
  readonly probe: string
  readonly kind: Probe['kind']
  readonly sends: string
  readonly expected: string
  /** What came: the status, or what came in its place. */
  readonly came: string
  /** The longest time of an answer. */
  readonly durationMs: number
  /** `same` is wrong in the way of the probe that the others of its kind are compared with. */
  readonly result: 'ok' | 'note' | 'wrong' | 'same'
  readonly means?: string
  readonly fix?: string
}

/** What they mean in a genuine delivery. */
const OF_GENUINE: GeneralFindings = {
  error: {
    means: 'The order fails. Commerce Layer sends it ten times more, and stops sending after 30 failures in a row.',
    fix: 'Look for the error in the log of the receiver.',
  },
  overloaded: {
    means: 'The order is late, and each refusal counts as a failure: after 30 in a row nothing is sent any more.',
    fix: 'Store deliveries and answer at once: an inbox (docs/durable-inbox.md).',
  },
  none: {
    means: 'Commerce Layer waits for 5 seconds. The order counts as failed, and is sent again while it is worked on.',
    fix: 'Answer first and work later, with an inbox (docs/durable-inbox.md). Check that every way through ends in an answer.',
  },
  closed: {
    means: 'The order fails: the connection ends without an answer.',
    fix: 'Look whether the process has ended, or a proxy in front has given up.',
  },
  'no route': {
    means: 'Every order fails: nothing takes a POST at this URL.',
    fix: 'Compare the path with that of the route.',
  },
  redirect: {
    means: 'A redirect is no success, so every order fails.',
    fix: 'Use the URL that it leads to: mind http and https, `www`, and a slash at the end.',
  },
  late: {
    means: 'Commerce Layer waits for 5 seconds. The order counts as failed, and is sent and handled again.',
    fix: 'Answer first and work later, with an inbox (docs/durable-inbox.md).',
  },
}

/** The same in a forged or malformed request, where it differs. */
const OF_FORGED: Partial<GeneralFindings> = {
  error: {
    means: 'A stranger makes the receiver throw: it fills your alerts, and hides true errors.',
    fix: '',
  },
  none: {
    means: 'A stranger can make the receiver hang.',
    fix: 'Check that every way through the receiver ends in an answer.',
  },
  closed: {
    means: 'A stranger can end the connection, and maybe the process.',
    fix: 'Look whether the process has ended: catch errors of the handler.',
  },
  late: {
    means: 'A stranger keeps the receiver busy for seconds.',
    fix: 'Refuse by the signature, before any work.',
  },
}

/** Compares the answers to a probe with what it expects. */
export function evaluateProbe(probe: Probe, answers: readonly Answer[], basis?: ProbeResult): ProbeResult {
  const unmet = answers.find((answer) => !probe.expected.isMet(answer))
  const shown = unmet ?? answers.at(-1)
  const about = {
    probe: probe.name,
    kind: probe.kind,
    sends: probe.sends,
    expected: probe.expected.text,
    came: describeAnswer(shown),
    durationMs: Math.max(0, ...answers.map(({ durationMs }) => durationMs)),
  }
  if (!unmet) {
    const finding = probe.check?.(answers)
    return finding ? { ...about, result: 'note', ...finding } : { ...about, result: 'ok' }
  }
  if (basis?.result === 'wrong' && basis.came === about.came) return { ...about, result: 'same' }
  return { ...about, result: probe.level ?? 'wrong', ...explain(probe, toFailure(unmet)) }
}

function toFailure(answer: Answer): Failure {
  if (answer.kind === 'none' || answer.kind === 'closed') return answer.kind
  if (answer.kind === 'cut') return 'other'
  const { status, durationMs } = answer
  if (status === 503 || status === 429) return 'overloaded'
  if (status >= 500) return 'error'
  if (status === 404 || status === 405) return 'no route'
  if (status >= 300 && status < 400) return 'redirect'
  return status < 300 && durationMs > 5000 ? 'late' : 'other'
}

function explain(probe: Probe, failure: Failure): Finding {
  const { means, fix } = probe
  if (failure === 'other' || probe.level === 'note') return { means, fix }
  const general = (probe.kind === 'forged' ? OF_FORGED[failure] : undefined) ?? (probe.general ?? OF_GENUINE)[failure]
  return { means: general.means, fix: general.fix || fix }
}

function describeAnswer(answer: Answer | undefined): string {
  if (answer?.kind === 'answer') return answer.durationMs > 5000 ? `${answer.status}, late` : String(answer.status)
  if (answer?.kind === 'closed') return 'closed'
  return answer?.kind === 'cut' ? '—' : 'nothing'
}
