import type { ErrorCode } from 'hooklayer'
import type { EmulatedCall } from 'hooklayer/emulator'
import { explainSignature } from 'hooklayer/testing'
import { toVariable } from '../configuration/secrets.ts'
import { readWord } from '../receiver/read-answer.ts'

/** What the receiver was told to verify with: the secrets of the topics that are developed with. */
export type GivenSecrets = Readonly<Record<string, string>>

/** What a signature that does not match may mean, as long as the received bytes are not known. */
export const OTHER_SECRET_OR_BODY =
  'The receiver has another secret for this topic, or something before it changes the body.'

/** What the codes in a receiver's answer mean while one develops. */
const MEANINGS: Readonly<Record<ErrorCode, string>> = {
  METHOD_NOT_ALLOWED: 'A proxy has changed the method: deliveries are POST.',
  BODY_TOO_LARGE: 'The body is over `maxBodyBytes` of the receiver.',
  ENCODING_UNSUPPORTED: 'A proxy has compressed the body.',
  BODY_ABORTED: 'The connection was cut before the body was complete.',
  BODY_TIMEOUT: 'The body did not arrive within `bodyTimeoutMs` of the receiver.',
  BODY_ALREADY_PARSED: 'A body parser, such as express.json(), comes before the receiver: mount the receiver above it.',
  BODY_DAMAGED: 'What the inbox has stored is damaged.',
  SIGNATURE_MISSING: 'A proxy has removed the header X-CommerceLayer-Signature.',
  SIGNATURE_MISMATCH: OTHER_SECRET_OR_BODY,
  SECRET_UNKNOWN: 'The receiver has no secret for this topic.',
  TOPIC_MISSING: 'A proxy has removed the header X-CommerceLayer-Topic.',
  TOPIC_INVALID: 'A proxy has changed the header X-CommerceLayer-Topic.',
  TOPIC_MISMATCH: 'The resource in the body is not of the type of the topic.',
  DOCUMENT_INVALID: 'The body is not a JSON:API document with one resource.',
  INCLUDE_MISSING:
    'A handler needs a relationship that the webhook does not include. The log of the receiver names it.',
  NO_HANDLER: 'The receiver has no handler for this topic.',
  HANDLER_FAILED: 'A handler threw an error. The log of the receiver has it.',
  INTERNAL_ERROR: 'The receiver failed. Its log says why.',
  IN_PROGRESS: 'The same event is being handled at this moment.',
  DEADLINE_EXCEEDED: 'A handler took longer than `deadlineMs` of the receiver.',
  STORE_UNAVAILABLE: 'The store or the inbox of the receiver did not answer.',
  OVERLOADED: 'More than `maxInFlight` deliveries are under way.',
  SHUTTING_DOWN: 'The receiver is shutting down.',
}

/** The same for statuses, where the answer is not that of a receiver of ours. */
const STATUSES: Readonly<Record<string, string>> = {
  401: 'Something before the receiver asks for credentials.',
  403: 'Something before the receiver does not permit it.',
  404: 'Nothing is mounted at this path: compare it with the path of --forward.',
  405: 'This path takes no POST: compare it with the path of --forward.',
  413: 'Something before the receiver has a smaller limit for bodies.',
}

const FAULTS: Readonly<Record<string, string>> = {
  wrongSignature: 'It was signed with another secret on purpose.',
  wrongTopic: 'It has another topic than was signed for, on purpose.',
  dropMidBody: 'It was cut in the middle of the body on purpose.',
}

/** Says in a sentence or two why a call was not accepted, or had no effect. `undefined` where all is fine. */
export async function explainRefusal(call: EmulatedCall, given: GivenSecrets): Promise<string | undefined> {
  const reason = await findReason(call, given)
  if (call.eventCallback.webhook.circuit_state === 'closed') return reason
  return [reason, 'The circuit is open now, so nothing is called any more.'].filter(Boolean).join(' ')
}

async function findReason(call: EmulatedCall, given: GivenSecrets): Promise<string | undefined> {
  const { response_code: status, callback_url, metadata } = call.eventCallback
  const word = readWord(call.answer)
  if (word === 'ignored') return 'The receiver has no handler for this topic.'
  if (status?.startsWith('2')) return undefined
  const fault = FAULTS[String(metadata.fault)]
  if (fault) return fault
  if (status === null) return explainSilence(call.eventCallback.response_message, new URL(callback_url))
  if (word === 'SIGNATURE_MISMATCH') return explainMismatch(call, given)
  if (word !== undefined && Object.hasOwn(MEANINGS, word)) return MEANINGS[word as ErrorCode]
  if (status.startsWith('3')) return 'Commerce Layer follows no redirects: name the URL itself with --forward.'
  return (
    STATUSES[status] ?? (status.startsWith('5') ? 'The server failed. Its log says why.' : 'Only 2xx is a success.')
  )
}

function explainSilence(message: string | null, { host }: URL): string | undefined {
  if (message === 'Connection refused') return `Nothing listens on ${host}.`
  return message?.startsWith('No answer within') ? 'Commerce Layer waits as long, and then tries again.' : undefined
}

async function explainMismatch({ topic, body, signature }: EmulatedCall, given: GivenSecrets): Promise<string> {
  const { [topic]: secret, ...others } = given
  if (secret === undefined) return `The receiver was given no secret for ${topic}: add it to --topics.`
  const explanation = await explainSignature({ body, signature, secrets: secret, otherSecrets: Object.values(others) })
  if (explanation.matches) {
    return `${toVariable(topic)} has signed these bytes. ${MEANINGS.SIGNATURE_MISMATCH}`
  }
  return `It was not signed with ${toVariable(topic)}: a webhook that is made through the API has a secret of its own.`
}
