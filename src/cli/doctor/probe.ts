import type { ProbeFixture } from './probe-fixture.ts'
import type { Answer, ProbeRequest } from './send-request.ts'

/** What a probe expects of every answer. */
export interface Expectation {
  readonly text: string
  isMet(answer: Answer): boolean
}

/** What was found out. */
export interface Finding {
  /** What it means for orders. */
  readonly means: string
  readonly fix: string
}

/** In which way an answer is not the expected one. `other` is what the probe itself explains. */
export type Failure = 'error' | 'overloaded' | 'none' | 'closed' | 'no route' | 'redirect' | 'late' | 'other'

/** What failures mean that do not depend on the probe. */
export type GeneralFindings = Readonly<Record<Exclude<Failure, 'other'>, Finding>>

export interface Probe extends Finding {
  readonly name: string
  /** `forged` probes are to be refused. */
  readonly kind: 'genuine' | 'forged'
  /**
   * Whether a forged one is signed with the secret of the receiver, or with an empty one. A mistake handles it then.
   */
  readonly isSigned?: true
  /** What is sent, for people. */
  readonly sends: string
  /** Requests that are sent at once. Those of the next list follow when all have been answered. */
  request(fixture: ProbeFixture): Promise<readonly (readonly ProbeRequest[])[]>
  readonly expected: Expectation
  /** What failures mean. Default: those of a delivery. */
  readonly general?: GeneralFindings
  /** What it is when the expectation is not met. Default: `wrong`. */
  readonly level?: 'note'
  /** For what needs a finding although each answer is as expected. */
  check?(answers: readonly Answer[]): Finding | undefined
}

/** All probes of an endpoint. */
export interface Suite {
  /** With `plain`, what the others are compared with. */
  readonly forged: Probe
  readonly plain: Probe
  readonly others: readonly Probe[]
  readonly afterwards: Probe
}
