import { z } from 'zod'
import type { Logger, SecretsLookUp } from '../../index.ts'
import { checkSchema, logger, milliseconds } from '../../schema/check-schema.ts'
import { url } from '../resources/arguments.ts'
import { keepSecrets } from './keep-secrets.ts'
import { findWebhooks, groupSecrets, type WebhooksApi } from './webhooks-by-url.ts'

export interface SecretsOptions {
  /** The URL that the webhooks call, exactly as they have it. */
  readonly callbackUrl: string
  /** After how many milliseconds the next delivery has the secrets read again; default one hour. */
  readonly refreshMs?: number | undefined
  /** Gets a warning when the secrets cannot be read again. Default: the console. */
  readonly logger?: Pick<Logger, 'warn'> | undefined
}

const OPTIONS = z.strictObject({
  callbackUrl: url,
  refreshMs: milliseconds.optional(),
  logger: logger.optional(),
})

/** Implements `management.secrets`. */
export function createSecretsLookUp(api: WebhooksApi, options: SecretsOptions): SecretsLookUp {
  const { callbackUrl, ...others } = checkSchema('secrets', OPTIONS, options)
  return keepSecrets(async () => groupSecrets((await findWebhooks(api, callbackUrl, {})).webhooks), others)
}
