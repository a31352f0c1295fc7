import {
  EXTERNAL_RESOURCES,
  type ExternalResourceKind,
  isExternalResourceKind,
} from '../commerce-layer/external-resources.ts'
import type { Handler, HandlerContext } from '../core/handle/handlers.ts'
import type { WebhookRequest, WebhookResponse } from '../core/http/request.ts'
import { composeReceiver } from '../receiver/receiver.ts'
import { createAnswering } from './answering.ts'
import { CONTRACTS, type ResponderAnswer } from './contracts/contracts.ts'
import { checkResponderOptions, type ResponderOptions, toSecrets } from './options.ts'
import type { Refusal } from './refusal.ts'
import { HeadersWithTopic, type ResponderRequest } from './request.ts'

/** Answers a request: with the `data` of the kind, or a refusal. */
export type ResponderHandler<K extends ExternalResourceKind, Path extends string = never> = (
  request: ResponderRequest<K, Path>,
  context: HandlerContext,
) => ResponderAnswer<K> | Refusal | Promise<ResponderAnswer<K> | Refusal>

/**
 * Answers the requests of an external resource. Made by {@link createResponder}. Each adapter takes it as a receiver.
 */
export interface Responder {
  /** Handles a request and gives its answer. Never rejects. */
  receive(request: WebhookRequest): Promise<WebhookResponse>
  /** Answers new requests 503, and resolves when all in progress have ended, late handlers included. */
  close(): Promise<void>
}

/**
 * Makes a responder: Commerce Layer asks it for prices, the validation of an order, shipping costs, promotions or
 * taxes, and waits for the answer. A request is verified and parsed as a delivery is. The answer of the handler is
 * checked against the request before it leaves. In the place of a late, failed or wrong one, the `fallback` is
 * answered.
 *
 * @param kind what the URL of this responder is asked for: no header says it.
 * @throws TypeError if the kind or an option is unknown or out of range, or the secret is missing or too weak.
 * @example
 * const taxes = createResponder('tax', { secret: process.env.CL_SECRET_TAX }, ({ resource: order }) => ({
 *   tax_rate: order.shipping_address?.country_code === 'IT' ? 0.22 : 0,
 * }))
 * app.post('/taxes', createExpressMiddleware(taxes))
 * @see docs/external-resources.md
 */
export function createResponder<K extends ExternalResourceKind, const Path extends string = never>(
  kind: K,
  options: ResponderOptions<K, Path>,
  handler: ResponderHandler<K, Path>,
): Responder {
  if (!isExternalResourceKind(kind)) {
    throw new TypeError(`createResponder: the kind must be one of ${Object.keys(EXTERNAL_RESOURCES).join(', ')}.`)
  }
  if (typeof handler !== 'function') throw new TypeError('createResponder: the handler is not a function.')
  const { answerCacheMs, ...settings } = checkResponderOptions(options)
  const { secret, fallback, externalIncludes = [], logger, observers, onError } = options
  const { topic } = CONTRACTS[kind]
  const receiver = composeReceiver(
    { ...settings, secrets: toSecrets(topic, secret), logger, observers },
    createAnswering(kind, {
      handler: handler as unknown as Handler,
      fallback,
      include: externalIncludes,
      cacheMs: answerCacheMs,
    }),
  )
  if (onError) receiver.onError(onError)
  return {
    receive(request) {
      const { method, headers, body } = Object(request) as WebhookRequest
      return receiver.receive({ method, headers: new HeadersWithTopic(headers, topic), body })
    },
    close: receiver.close,
  }
}
