export type { Api } from './api.ts'
export { ApplyError, type ApplyOptions } from './apply.ts'
export { isManagementError, ManagementError, type ManagementFailure } from './errors.ts'
export type { EventCallbackQuery, EventCallbacks } from './event-callbacks.ts'
export type { EventQuery, Events } from './events.ts'
export type { WebhookHealth } from './health.ts'
export {
  type AccessTokenOptions,
  type CredentialsOptions,
  createManagement,
  type Management,
  type ManagementOptions,
} from './management.ts'
export { describePlan, type Plan, type PlanOptions, type PlanStep } from './plan.ts'
export type { RecoverOptions } from './recover.ts'
export { type Recovery, type RecoveryCursor, RecoveryError, type RecoveryResult } from './recovery.ts'
export type { RequestOptions } from './request-options.ts'
export { type SecretsFromOptions, secretsFrom } from './secrets-from.ts'
export type { WebhookArguments, Webhooks } from './webhooks.ts'
