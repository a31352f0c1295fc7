/**
 * Types for authors of stores, inboxes, adapters, observers and wrappers around a receiver. This entry has no code.
 *
 * A store implements `IdempotencyStore`, an inbox implements `Inbox`, and an adapter calls `receiver.receive` with a
 * `WebhookRequest`. Whoever only uses a receiver finds the types for that in `hooklayer`.
 */
export type { WebhookErrorOptions } from './core/errors.ts'
export type { IncludePath, Including, WithIncluded } from './core/event/include.ts'
export type { TopicsOf } from './core/handle/handlers.ts'
export type {
  HeadersLike,
  RawBody,
  ReadBody,
  ReceiveOptions,
  WebhookRequest,
  WebhookResponse,
} from './core/http/request.ts'
export type {
  CompleteOptions,
  ErasableStore,
  ErasedRecords,
  IdempotencyStore,
  ReleaseOptions,
  RenewOptions,
  Reservation,
  ReserveOptions,
  ResourceVersion,
} from './core/idempotency/store.ts'
export type { StoredResource } from './core/idempotency/stored-resource.ts'
export type {
  ConsumeOptions,
  DeadLetter,
  DeadLetterFilter,
  DeadLetterSelection,
  DeadLetters,
  DeliveryAttempt,
  FailedDelivery,
  Inbox,
  InboxStatistics,
  ProcessDelivery,
  StoredDelivery,
  Worker,
} from './core/inbox/inbox.ts'
export type {
  DeliveryCounts,
  DeliveryError,
  DeliveryQuery,
  DeliveryState,
  ErasedDeliveries,
  ListedDelivery,
  ResourceReference,
} from './core/inbox/listing.ts'
export type { VerifyStoredOptions } from './core/inbox/stored-signatures.ts'
export type { LoggerLike } from './core/logger.ts'
export type { HandlerRun } from './core/observe.ts'
export type { AttemptInfo, EventType, ObservedEvent, Observer } from './core/observed-events.ts'
export type { LabelledSecret } from './core/verify/check-secret.ts'
export type { SecretsByTopic, SecretsOption } from './core/verify/secrets.ts'
export type { DeliveryRecorder, RecordedAttempt, StageName } from './receiver/recording.ts'
