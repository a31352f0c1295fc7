/**
 * The names of what is measured. Those that begin with `messaging` and `error` are of OpenTelemetry's conventions.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/
 */
export const ATTRIBUTES = {
  system: 'messaging.system',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  destination: 'messaging.destination.name',
  messageId: 'messaging.message.id',
  bodySize: 'messaging.message.body.size',
  errorType: 'error.type',
  exceptionType: 'exception.type',
  outcome: 'hooklayer.outcome',
  handler: 'hooklayer.handler',
  attempt: 'hooklayer.attempt',
  eventId: 'hooklayer.event.id',
  organizationId: 'commercelayer.organization.id',
  mode: 'commercelayer.mode',
  resourceType: 'commercelayer.resource.type',
  resourceId: 'commercelayer.resource.id',
} as const

export const METRICS = {
  processDuration: 'messaging.process.duration',
  consumedMessages: 'messaging.client.consumed.messages',
  signatureFailures: 'hooklayer.signature.failures',
  circuitFailures: 'commercelayer.webhook.circuit.failures',
  inboxDepth: 'hooklayer.inbox.depth',
  inboxDead: 'hooklayer.inbox.dead',
} as const

/** The value of `messaging.system`. */
export const SYSTEM = 'commercelayer'

/** The name of the instrumentation scope. */
export const SCOPE = 'hooklayer'

/** Stands for all topics that nobody but their sender knows. */
export const OTHER_TOPIC = '_other'
