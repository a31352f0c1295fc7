export { FAILURES_TO_OPEN } from '../commerce-layer/limits.ts'
export type { RequestOptions } from './client/abort.ts'
export { isManagementError, ManagementError, type ManagementFailure } from './client/errors.ts'
export type { AccessTokenFunction } from './client/tokens.ts'
export {
  type AccessTokenOptions,
  type CredentialsOptions,
  createManagement,
  type Management,
  type ManagementOptions,
} from './management.ts'
export type { RecoverOptions } from './recover/recover.ts'
export { type Recovery, type RecoveryCursor, RecoveryError, type RecoveryResult } from './recover/recovery.ts'
export type { Api } from './resources/api.ts'
export type { EventCallbackQuery, EventCallbacks } from './resources/event-callbacks.ts'
export type { EventQuery, Events } from './resources/events.ts'
export type { WebhookHealth } from './resources/health.ts'
export type { Circuits, Holders, HoldersApi } from './resources/holders.ts'
export type { WebhookArguments, Webhooks } from './resources/webhooks.ts'
export { ApplyError, type ApplyOptions } from './subscribe/apply.ts'
export type { HolderSecretLookUp, HolderSecretOptions } from './subscribe/holder-secret.ts'
export { describePlan, type Plan, type PlanOptions } from './subscribe/plan.ts'
export type { PlanStep } from './subscribe/plan-steps.ts'
export type { SecretsOptions } from './subscribe/secrets-from.ts'
