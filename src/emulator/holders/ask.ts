import { EXTERNAL_RESOURCES, type ExternalResourceKind } from '../../commerce-layer/external-resources.ts'
import { ANSWER_TIMEOUT_MS } from '../../commerce-layer/limits.ts'
import { sign } from '../../core/verify/signature.ts'
import { type DocumentOptions, type ResourceDocument, toDocument } from '../../wire/document.ts'
import { createRequestHeaders } from '../../wire/headers.ts'
import { EXTERNAL_SAMPLE_TOPICS } from '../../wire/samples/external-topics.ts'
import { createSubject } from '../../wire/samples/subject.ts'
import { isResource } from '../../wire/schema.ts'
import { writeDocument } from '../../wire/serialize.ts'
import { createPoster } from '../sender/post.ts'
import { checkAnswer, type Verdict } from './check-answer.ts'
import { countAnswer, findCircuit, type HolderRecord } from './holders.ts'

/** One call of an external resource: what was sent, the answer, and what Commerce Layer makes of it. */
export interface EmulatedAnswer {
  readonly kind: ExternalResourceKind
  readonly holderId: string
  /** The document that was sent. */
  readonly request: ResourceDocument
  /** The status of the answer. `undefined` if there was none, or the circuit was open. */
  readonly status: number | undefined
  /** The body of the answer, up to 1 MiB. */
  readonly text: string
  /**
   * - `accepted`: an answer as documented
   * - `refused`: the failure of the platform's form
   * - `malformed`: anything else that was answered
   * - `unanswered`: no answer, or an error of the server
   * - `skipped`: the circuit is open
   */
  readonly outcome: Verdict['outcome'] | 'unanswered' | 'skipped'
  /** `data` of an answer that was accepted. */
  readonly data: Readonly<Record<string, unknown>> | undefined
  /** `error` of a refusal. */
  readonly error: Readonly<Record<string, unknown>> | undefined
  /** What is wrong with a malformed answer. */
  readonly problem: string | undefined
  /** What Commerce Layer does without an answer, as far as it is documented. */
  readonly fallback: string | undefined
  readonly durationMs: number
}

const MAX_ANSWER_LENGTH = 1024 * 1024

/** Asks holders of external resources, and counts their failures. */
export interface Asker {
  ask(holder: HolderRecord, resource: object): Promise<EmulatedAnswer>
  close(): void
}

export function createAsker(options: DocumentOptions, timeoutMs = ANSWER_TIMEOUT_MS): Asker {
  const poster = createPoster(timeoutMs, MAX_ANSWER_LENGTH)

  async function ask(holder: HolderRecord, resource: object): Promise<EmulatedAnswer> {
    const { kind, external_includes: include } = holder
    const startedAt = performance.now()
    const subject = createSubject(EXTERNAL_SAMPLE_TOPICS[kind], resource, {
      include: isResource(resource) ? undefined : include,
    })
    const request = toDocument(subject, { ...options, include })
    const circuit = findCircuit(holder, subject.id)
    const isOpen = circuit.circuit_state === 'open'
    const { status, text } = isOpen ? { status: undefined, text: '' } : await post(holder, request)
    const isFailure = status === undefined || status >= 500
    countAnswer(circuit, isFailure)
    const verdict = isFailure ? undefined : checkAnswer(kind, status, text, request)
    return {
      kind,
      holderId: holder.id,
      request,
      status,
      text,
      outcome: verdict?.outcome ?? (isOpen ? 'skipped' : 'unanswered'),
      data: verdict?.outcome === 'accepted' ? verdict.data : undefined,
      error: verdict?.outcome === 'refused' ? verdict.error : undefined,
      problem: verdict?.outcome === 'malformed' ? verdict.problem : undefined,
      fallback: verdict?.outcome === 'accepted' ? undefined : describeFallback(holder, verdict),
      durationMs: performance.now() - startedAt,
    }
  }

  async function post({ url, shared_secret }: HolderRecord, request: ResourceDocument) {
    const body = new TextEncoder().encode(writeDocument(request))
    const headers = createRequestHeaders(await sign(body, shared_secret))
    return poster.post({ url, headers, body, chunking: 'whole' })
  }

  return { ask, close: poster.close }
}

/** Documented where it is not said otherwise. */
function describeFallback({ kind, price_amount_cents }: HolderRecord, verdict: Verdict | undefined): string {
  switch (kind) {
    case 'prices':
      return 'The client is answered 422 while the circuit is open; otherwise it is not known.'
    case 'order-validation':
      return verdict?.outcome === 'refused'
        ? 'The client is answered 422 with the message, and the order can still be placed.'
        : 'It is not known.'
    case 'shipping-cost':
      return `The shipment costs the ${price_amount_cents} cents of the shipping method.`
    case 'promotion':
      return 'No promotion is added. The event external_promotions.failed is inferred.'
    case 'tax':
      return 'It is not known. The event orders.tax_calculation_failed is inferred.'
  }
}

/** @throws TypeError for a kind that there is not. */
export function checkKind(kind: ExternalResourceKind): void {
  if (Object.hasOwn(EXTERNAL_RESOURCES, kind)) return
  throw new TypeError(`The kind must be one of ${Object.keys(EXTERNAL_RESOURCES).join(', ')}.`)
}
