import { EXTERNAL_RESOURCES, type ExternalResourceKind } from '../../commerce-layer/external-resources.ts'
import { ANSWER_TIMEOUT_MS } from '../../commerce-layer/limits.ts'
import { sign } from '../../core/verify/signature.ts'
import { type DocumentOptions, type ResourceDocument, toDocument } from '../../wire/document.ts'
import { createRequestHeaders } from '../../wire/headers.ts'
import { EXTERNAL_SAMPLE_TOPICS } from '../../wire/samples/external-topics.ts'
import { randomId } from '../../wire/samples/ids.ts'
import { createSubject } from '../../wire/samples/subject.ts'
import { isResource, type Resource } from '../../wire/schema.ts'
import { writeDocument } from '../../wire/serialize.ts'
import { createPoster } from '../sender/post.ts'
import { checkAnswer, type Verdict } from './check-answer.ts'
import { countAnswer, findCircuit, type HolderRecord } from './holders.ts'

/** One call of an external resource: what was sent, the answer, and what Commerce Layer makes of it. */
export interface EmulatedAnswer {
  readonly id: string
  /** When it was asked for, ISO 8601. */
  readonly askedAt: string
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
  /** `error` of a refusal, and of an error of the server that has the platform's form. */
  readonly error: Readonly<Record<string, unknown>> | undefined
  /** What is wrong with a malformed answer, with its path in backticks; or why there was none. */
  readonly problem: string | undefined
  /** What Commerce Layer does without an answer, as far as it is documented. */
  readonly fallback: string | undefined
  readonly durationMs: number
}

const MAX_ANSWER_LENGTH = 1024 * 1024

/** What is known of a call that an open circuit has blocked. */
const NOT_SENT = { status: undefined, text: '', message: undefined }

/** What is sent: a document and its bytes. */
interface Question {
  readonly document: ResourceDocument
  readonly body: Uint8Array
}

/** Asks holders of external resources, and counts their failures. */
export interface Asker {
  /** @param question is sent as it is. */
  ask(holder: HolderRecord, question: Question): Promise<EmulatedAnswer>
  /** The sample of the kind, with changes, or a whole resource. */
  sample(holder: HolderRecord, resource: object): Resource
  /** What is sent for {@link sample}. */
  write(holder: HolderRecord, resource: object): Question
  close(): void
}

export function createAsker(options: DocumentOptions, timeoutMs = ANSWER_TIMEOUT_MS): Asker {
  const poster = createPoster(timeoutMs, MAX_ANSWER_LENGTH)

  async function ask(holder: HolderRecord, { document, body }: Question): Promise<EmulatedAnswer> {
    const { kind } = holder
    const askedAt = new Date().toISOString()
    const startedAt = performance.now()
    const circuit = findCircuit(holder, String([document.data].flat()[0]?.id))
    const isOpen = circuit.circuit_state === 'open'
    const { status, text, message } = isOpen ? NOT_SENT : await post(holder, body)
    const isFailure = status === undefined || status >= 500
    countAnswer(circuit, isFailure)
    const read = status === undefined ? undefined : checkAnswer(kind, status, text, document)
    const verdict = isFailure ? undefined : read
    return {
      id: randomId(),
      askedAt,
      kind,
      holderId: holder.id,
      request: document,
      status,
      text,
      outcome: verdict?.outcome ?? (isOpen ? 'skipped' : 'unanswered'),
      data: verdict?.outcome === 'accepted' ? verdict.data : undefined,
      error: read?.outcome === 'refused' ? read.error : undefined,
      problem: verdict?.outcome === 'malformed' ? verdict.problem : message,
      fallback: verdict?.outcome === 'accepted' ? undefined : describeFallback(holder, verdict),
      durationMs: performance.now() - startedAt,
    }
  }

  async function post({ url, shared_secret }: HolderRecord, body: Uint8Array) {
    const headers = createRequestHeaders(await sign(body, shared_secret))
    const { status, text, message } = await poster.post({ url, headers, body, chunking: 'whole' })
    return { status, text, message: status === undefined ? `${message}.` : undefined }
  }

  function sample({ kind, external_includes }: HolderRecord, resource: object): Resource {
    const include = isResource(resource) ? undefined : external_includes
    return createSubject(EXTERNAL_SAMPLE_TOPICS[kind], resource, { include })
  }

  return {
    ask,
    sample,
    write(holder, resource) {
      const document = toDocument(sample(holder, resource), { ...options, include: holder.external_includes })
      return { document, body: new TextEncoder().encode(writeDocument(document)) }
    },
    close: poster.close,
  }
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
