import * as z from 'zod'
import { resourceOf } from '../commerce-layer/topics.ts'
import { checkSchema, mustBe } from '../schema/check-schema.ts'
import { getUsualIncludes } from '../wire/samples/usual-includes.ts'
import { readAttributes } from './api/body.ts'
import { ApiError } from './api/errors.ts'
import { WEBHOOKS } from './api/schema.ts'
import { createWebhook, WEBHOOK_CREATE } from './api/webhooks.ts'
import { copyWebhook, type EmulatedWebhook } from './emulated-records.ts'
import { OPTIONS } from './options.ts'
import type { Records } from './records.ts'

/** The options of `subscribe` of an emulator. */
export interface SubscribeOptions {
  /** Dotted paths of the relationships that deliveries include. Default: the usual ones of the resource. */
  readonly includeResources?: readonly string[] | undefined
  /** The shared secret, 16 characters or more. Default: `secret` of the emulator, or else a random one. */
  readonly secret?: string | undefined
}

const SUBSCRIBE = z.strictObject({
  includeResources: z.array(z.string(), mustBe('a list of paths')).optional(),
  secret: OPTIONS.shape.secret,
})

/** Creates the function that makes webhooks without the API, with its checks. */
export function createSubscribe({
  records,
  organization,
  secret,
}: {
  readonly records: Records
  readonly organization: string
  readonly secret: string | undefined
}): (topic: string, callbackUrl: string, options?: SubscribeOptions) => EmulatedWebhook {
  return (topic, callbackUrl, given = {}) => {
    const { includeResources, secret: ownSecret = secret } = checkSchema('subscribe', SUBSCRIBE, given)
    const include_resources = includeResources ?? getUsualIncludes(resourceOf(topic))
    const json = { data: { type: WEBHOOKS.type, attributes: { topic, callback_url: callbackUrl, include_resources } } }
    try {
      const attributes = readAttributes(json, { schema: WEBHOOKS, attributes: WEBHOOK_CREATE })
      return copyWebhook(createWebhook(records, organization, attributes, ownSecret))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      throw new TypeError(`subscribe: ${error.errors[0]?.detail}`, { cause: error })
    }
  }
}
