import { eventsOf, resourceOf, TOPICS, type Topic, type TopicOf, type TopicResource } from '../topics/catalogue.ts'
import type { UnknownTopic, WebhookEvent } from './event.ts'
import type { Logger } from './logger.ts'
import type { Secrets } from './secrets.ts'

/** What a handler listens to: a topic, all topics of a resource (`orders.*`), or every topic (`*`). */
export type TopicPattern = Topic | `${TopicResource}.*` | '*' | (string & {})

/** The topics that a pattern stands for. */
export type TopicsOf<P extends string> = P extends '*'
  ? Topic | UnknownTopic
  : P extends `${infer R}.*`
    ? R extends TopicResource
      ? TopicOf<R>
      : UnknownTopic
    : P

/** What a handler is given besides the event. */
export interface HandlerContext {
  /** Aborted when the deadline has passed and the sender was answered 503: stop, the event will be delivered again. */
  readonly signal: AbortSignal
  readonly logger: Logger
}

/**
 * Does something about an event. Return, or resolve, when it is done: the delivery is acknowledged then. Throw, or reject,
 * and it is fired again; throw a `PermanentError` and it is not.
 */
export type Handler<T extends string = Topic | UnknownTopic> = (
  event: WebhookEvent<T>,
  context: HandlerContext,
) => unknown

export interface Handlers {
  add(patterns: string | readonly string[], handler: Handler): void
  /** The handlers of a topic in the order of their registration, each once. */
  of(topic: string): Handler[]
}

/** @param secrets tells which topics can be verified at all: what cannot earns a warning when it is registered. */
export function createHandlers(secrets: Secrets, logger: Logger): Handlers {
  const registered: { readonly patterns: ReadonlySet<string>; readonly handler: Handler }[] = []
  const known = new Set<string>()
  let warned = false
  return {
    add(patterns, handler) {
      const list = typeof patterns === 'string' ? [patterns] : patterns
      checkPatterns(list)
      if (typeof handler !== 'function') throw new TypeError(`The handler for ${list.join(', ')} is not a function.`)
      registered.push({ patterns: new Set(list), handler })
      for (const pattern of list) {
        const oddity = known.has(pattern) ? undefined : oddityOf(pattern, secrets)
        if (oddity) logger.warn(oddity, { topic: pattern })
        known.add(pattern)
      }
      if (!warned && secrets.shared && (known.size > 1 || [...known].some((pattern) => pattern.endsWith('*')))) {
        warned = true
        logger.warn(SHARED_SECRET)
      }
    },
    of(topic) {
      const family = `${resourceOf(topic)}.*`
      return registered
        .filter(({ patterns }) => patterns.has(topic) || patterns.has(family) || patterns.has('*'))
        .map(({ handler }) => handler)
    },
  }
}

const SHARED_SECRET =
  'One secret serves several topics, which the signature does not cover: a captured delivery can be replayed under another. ' +
  "Give each topic its webhook's own: { 'orders.place': … }."

const PATTERN = /^(\*|[a-z][a-z0-9_]*\.(\*|[a-z][a-z0-9_]*))$/

function checkPatterns(patterns: readonly unknown[]): void {
  if (patterns.length === 0) throw new TypeError('`on` was given no topic.')
  for (const pattern of patterns) {
    if (typeof pattern === 'string' && PATTERN.test(pattern)) continue
    throw new TypeError(`\`on\` takes a topic such as 'orders.place', or 'orders.*', or '*', not ${String(pattern)}.`)
  }
}

/** What is odd about a pattern, in a sentence. It is registered all the same: new topics appear over time. */
function oddityOf(pattern: string, secrets: Secrets): string | undefined {
  if (pattern === '*') return undefined
  const resource = resourceOf(pattern)
  const event = pattern.slice(resource.length + 1)
  const known = eventsOf(resource)
  if (!known || ![...known, '*'].includes(event)) {
    const names = known ?? Object.keys(TOPICS)
    return `${pattern} is not a known topic. Is it a typing error? There are ${names.join(', ')}.`
  }
  return event !== '*' && secrets.lacks(pattern) ? `${pattern} has a handler but no secret.` : undefined
}
