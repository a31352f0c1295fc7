import type { ExternalResourceKind } from '../commerce-layer/external-resources.ts'
import { type CheckedOptions, checkOptions, orValue, positiveInteger, wrongOption } from '../core/check-options.ts'
import type { IncludePath } from '../core/event/include.ts'
import type { ErrorHandler } from '../core/handle/report.ts'
import { fitBodies, REQUEST_LIMITS } from '../core/http/request-limits.ts'
import type { LoggerLike } from '../core/logger.ts'
import type { Observer } from '../core/observed-events.ts'
import { checkSecrets, type Secret } from '../core/verify/check-secret.ts'
import type { SecretsLookUp } from '../core/verify/secrets.ts'
import type { ResponderAnswer } from './contracts/contracts.ts'
import type { Refusal } from './refusal.ts'
import type { RequestResource, ResponderRequest } from './request.ts'

/** The secret of the holder, each time it is needed. */
export interface HolderSecret {
  (): Secret | Promise<Secret>
  /** Called when a signature does not match: gives the secrets that are new since, or none. */
  refresh?(): Secret | Promise<Secret>
}

/** Options of a responder for one kind. */
export interface ResponderOptions<K extends ExternalResourceKind, in out Path extends string = never> {
  /**
   * The `shared_secret` of the holder: the market (prices, order validation), shipping method, promotion or tax
   * calculator. A list is for several holders at one URL, with an HMAC each. A function is called each time, as
   * `secrets` of a receiver.
   */
  readonly secret: Secret | HolderSecret
  /** Milliseconds from the arrival of a request to its answer, the fallback's too. Default: 3,950. */
  readonly deadlineMs?: number | undefined
  /**
   * Answers a verified request whose handler is late, throws or gives a wrong answer: an answer, a refusal, or a
   * function of the request that gives one of them at once. It is checked against the request too. Default: none; the
   * answer is 503 for a late handler, and 500 otherwise.
   */
  readonly fallback?:
    | ResponderAnswer<K>
    | Refusal
    | ((request: ResponderRequest<K, Path>) => ResponderAnswer<K> | Refusal)
    | undefined
  /**
   * The `external_includes` of the holder, if they are set: they replace the default ones. A request without one of
   * them is not handled. A step that ends with `?` may be null. Default: the default ones of the kind, not required.
   */
  readonly externalIncludes?: readonly IncludePath<RequestResource<K>, Path>[] | undefined
  /**
   * Milliseconds for which the same bytes get the same answer without a call of the handler. The last 1,000 answers
   * are kept, refusals too, and fallbacks never. Default: 0, which keeps none.
   */
  readonly answerCacheMs?: number | undefined
  /** The largest body that is read, in bytes. Default: 5 MiB. */
  readonly maxBodyBytes?: number | undefined
  /** Milliseconds within which a body must have arrived. Default: 4,000. */
  readonly bodyTimeoutMs?: number | undefined
  /** How many verified requests are in progress at once. More are answered 503. Default: 1,000. */
  readonly maxInFlight?: number | undefined
  /** How many bodies may be unfinished at once, as in a receiver. Default: 256. */
  readonly maxUnverified?: number | undefined
  /** How many bytes of unfinished bodies are kept, as in a receiver. Default: 64 MiB. */
  readonly maxUnverifiedBytes?: number | undefined
  /** Milliseconds for which the answer of an asynchronous `secret` function is used. Default: 1,000. */
  readonly secretsCacheMs?: number | 'none' | undefined
  /** As in a receiver. Default: warnings and errors to the console. */
  readonly logger?: LoggerLike | undefined
  /**
   * As in a receiver. The topic of events is `orders.external_tax` and the like; `discarded` with a `code` means that
   * the fallback was answered. Default: none.
   */
  readonly observers?: readonly Observer[] | undefined
  /** Called for each verified request without an answer of its handler, as `onError` of a receiver. Default: none. */
  readonly onError?: ErrorHandler | undefined
}

const RULES = {
  ...REQUEST_LIMITS,
  deadlineMs: positiveInteger(3950),
  secretsCacheMs: orValue(positiveInteger(1000), 'none'),
  answerCacheMs: orValue(positiveInteger(0), 0),
}

/** Options that are checked elsewhere. */
const OTHERS = ['secret', 'fallback', 'externalIncludes', 'logger', 'observers', 'onError']
const PATH = /^[a-z][a-z0-9_]*\??(\.[a-z][a-z0-9_]*\??)*$/

/** What is checked does not depend on the kind. */
type AnyOptions = Omit<ResponderOptions<ExternalResourceKind>, 'externalIncludes' | 'fallback'> & {
  readonly externalIncludes?: readonly string[] | undefined
}

/** @throws TypeError if an option is unknown or out of range, or the secret is missing or too weak. */
export function checkResponderOptions(options: AnyOptions): CheckedOptions<typeof RULES> {
  const settings = checkOptions('createResponder', options, RULES, OTHERS)
  const { secret, externalIncludes = [], onError } = options
  if (typeof secret !== 'function') checkSecrets(secret, 'secret')
  if (!Array.isArray(externalIncludes) || !externalIncludes.every((path) => PATH.test(path))) {
    throw wrongOption('createResponder', 'externalIncludes', "must be a list of paths such as ['line_items.item']")
  }
  if (onError !== undefined && typeof onError !== 'function') {
    throw wrongOption('createResponder', 'onError', 'must be a function')
  }
  return fitBodies('createResponder', options, settings)
}

/** The secret as that of the only topic there is. */
export function toSecrets(topic: string, secret: Secret | HolderSecret): SecretsLookUp | { [topic: string]: Secret } {
  if (typeof secret !== 'function') return { [topic]: secret }
  const lookUp = () => secret()
  const { refresh } = secret
  return refresh ? Object.assign(lookUp, { refresh: () => refresh.call(secret) }) : lookUp
}
