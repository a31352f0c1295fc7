import type { AnswerOutcome, InboxState, Outcome } from '../api.ts'

export const OUTCOMES: Readonly<Record<Outcome, string>> = {
  handled: 'Handled',
  queued: 'Queued',
  duplicate: 'Duplicate',
  ignored: 'Ignored',
  discarded: 'Discarded',
  failed: 'Failed',
  refused: 'Refused',
}

export const INBOX_STATES: Readonly<Record<InboxState, string>> = {
  dead: 'Dead',
  failed: 'Retrying',
  queued: 'Waiting',
  running: 'Running',
  unhandled: 'No handler',
}

export const ANSWER_OUTCOMES: Readonly<Record<AnswerOutcome, string>> = {
  accepted: 'Accepted',
  refused: 'Refused',
  malformed: 'Wrong',
  unanswered: 'Failed',
  skipped: 'Not asked',
}

const STAGES: Readonly<Record<string, string>> = {
  admit: 'Method and headers',
  secrets: 'Secrets',
  read: 'Body read',
  verify: 'Signature',
  store: 'Stored in the inbox',
  parse: 'Document',
  reserve: 'Idempotency',
  handle: 'Handlers',
}

export function nameStage(name: string): string {
  return STAGES[name] ?? name
}

export const SOURCES: Readonly<Record<string, string>> = {
  request: 'Request',
  inbox: 'Inbox',
  redelivery: 'Redelivery',
  sender: 'Seen by the sender only',
}

/** What to do about a code, where the receiver gave no hint. */
const ADVICE: Readonly<Record<string, string>> = {
  METHOD_NOT_ALLOWED: 'Deliveries are sent by POST. Check who calls this URL, and with which method.',
  BODY_TOO_LARGE: 'Raise `maxBodyBytes`, or let the webhook include fewer resources.',
  ENCODING_UNSUPPORTED: 'A proxy compresses the body. Switch that off for this path.',
  BODY_ABORTED: 'The sender or a proxy closed the connection. The delivery is sent again.',
  BODY_TIMEOUT: 'The body came too slowly. Check the proxy in front, or raise `bodyTimeoutMs`.',
  BODY_ALREADY_PARSED: 'Mount the receiver before `express.json()` and other body parsers.',
  SIGNATURE_MISSING: 'Commerce Layer signs each delivery. Check whether a proxy drops the header.',
  SIGNATURE_MISMATCH: 'Check the shared secret of the webhook, and that nothing changes the body on its way.',
  SECRET_UNKNOWN: 'Add the shared secret of the webhook for this topic to `secrets`.',
  TOPIC_MISSING: 'Commerce Layer names the topic in a header. Check whether a proxy drops it.',
  TOPIC_INVALID: 'The topic is not of the form `resource.event`. Check who sent it.',
  TOPIC_MISMATCH: 'The document is of another type than the topic says. Check the webhook.',
  DOCUMENT_INVALID: 'The body is signed and is no JSON:API document. Check who sent it.',
  INCLUDE_MISSING: 'Add the relationship to `include_resources` of the webhook: `npx hooklayer webhooks apply`.',
  NO_HANDLER: 'Add a handler for this topic, or delete the webhook.',
  HANDLER_FAILED: 'Mend the handler. The delivery is sent again.',
  DEADLINE_EXCEEDED: 'Make the handlers faster, or use an inbox, so that the answer does not wait for them.',
  STORE_UNAVAILABLE: 'Check the store or inbox. The delivery is sent again.',
  OVERLOADED: 'Raise `maxInFlight`, or use an inbox.',
  SHUTTING_DOWN: 'The process was stopping. The delivery is sent again.',
}

export function adviseOn(code: string): string | undefined {
  return ADVICE[code]
}
