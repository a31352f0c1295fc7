export type { Delivery } from './core/authenticate.ts'
export { verify } from './core/authenticate.ts'
export { isWebhookError, PermanentError, WebhookError, type WebhookErrorOptions } from './core/errors.ts'
export { eventIdOf, parse, type UnknownTopic, type WebhookEvent } from './core/event.ts'
export type {
  Handler,
  HandlerContext,
  HandlerOptions,
  Subscription,
  TopicPattern,
  TopicsOf,
} from './core/handlers.ts'
export type { IdempotencyOptions } from './core/idempotency.ts'
export type {
  CompleteOptions,
  IdempotencyStore,
  ReleaseOptions,
  RenewOptions,
  Reservation,
  ReserveOptions,
  ResourceVersion,
} from './core/idempotency-store.ts'
export type {
  ConsumeOptions,
  DeadLetter,
  DeadLetterFilter,
  DeadLetters,
  DeliveryAttempt,
  Inbox,
  InboxStatistics,
  ProcessDelivery,
  StoredDelivery,
  Worker,
} from './core/inbox.ts'
export type { WithIncluded } from './core/include.ts'
export type { Logger } from './core/logger.ts'
export type { ReceiverOptions } from './core/options.ts'
export type { ErrorCode, OutcomeName } from './core/outcomes.ts'
export type { ErrorContext, ErrorHandler } from './core/report.ts'
export type { HeadersLike, ReadBody, ReceiveOptions, WebhookRequest, WebhookResponse } from './core/request.ts'
export type { Secret, SecretsLookUp, SecretsOption } from './core/secrets.ts'
export { sign } from './core/signature.ts'
export { createReceiver, type Receiver } from './receiver.ts'
export { TOPICS, type Topic, type TopicOf, type TopicResource } from './topics/catalogue.ts'
export type { DestroyedResource, LooseResource, ResourceOf } from './topics/resources.ts'
export { createWorker, type WorkerOptions } from './worker.ts'
