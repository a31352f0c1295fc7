export type { DestroyedResource, LooseResource, ResourceOf } from './commerce-layer/resources.ts'
export { TOPICS, type Topic, type TopicOf, type TopicResource } from './commerce-layer/topics.ts'
export { isWebhookError, PermanentError, WebhookError, type WebhookErrorOptions } from './core/errors.ts'
export { eventIdOf, parse, type UnknownTopic, type WebhookEvent } from './core/event/event.ts'
export type { WithIncluded } from './core/event/include.ts'
export type {
  Handler,
  HandlerContext,
  HandlerOptions,
  Subscription,
  TopicPattern,
  TopicsOf,
} from './core/handle/handlers.ts'
export type { ErrorContext, ErrorHandler } from './core/handle/report.ts'
export type { HeadersLike, ReadBody, ReceiveOptions, WebhookRequest, WebhookResponse } from './core/http/request.ts'
export type { IdempotencyOptions } from './core/idempotency/idempotency.ts'
export type {
  CompleteOptions,
  IdempotencyStore,
  ReleaseOptions,
  RenewOptions,
  Reservation,
  ReserveOptions,
  ResourceVersion,
} from './core/idempotency/store.ts'
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
} from './core/inbox/inbox.ts'
export type { Logger } from './core/logger.ts'
export type { ErrorCode, OutcomeName } from './core/outcomes.ts'
export type { Delivery } from './core/verify/authenticate.ts'
export { verify } from './core/verify/authenticate.ts'
export type { Secret, SecretsLookUp, SecretsOption } from './core/verify/secrets.ts'
export { type SecretsFromEnvOptions, secretsFromEnv } from './core/verify/secrets-from-env.ts'
export { sign } from './core/verify/signature.ts'
export type { ReceiverOptions } from './receiver/options.ts'
export { createReceiver, type Receiver } from './receiver/receiver.ts'
export { createWorker, type WorkerOptions } from './receiver/worker.ts'
