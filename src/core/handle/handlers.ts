import { isTopicPattern, matchesTopic } from '../../commerce-layer/topic-patterns.ts'
import {
  eventsOf,
  resourceOf,
  TOPICS,
  type Topic,
  type TopicOf,
  type TopicResource,
} from '../../commerce-layer/topics.ts'
import type { UnknownTopic, WebhookEvent } from '../event/event.ts'
import type { Logger } from '../logger.ts'
import { rememberForTopic } from '../topic-map.ts'
import type { Secrets } from '../verify/secrets.ts'

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
export type Handler<T extends string = Topic | UnknownTopic, Path extends string = never> = (
  event: WebhookEvent<T, Path>,
  context: HandlerContext,
) => unknown

/** What a handler wants to be known of it. */
export interface HandlerOptions<Path extends string = string> {
  /**
   * Relationships that it needs, as dotted paths: `['customer', 'line_items.item', 'payment_method?']`. They are there, and not
   * null, in the type of `event.resource`; a delivery that lacks one is answered `INCLUDE_MISSING` and no handler runs. A step
   * that ends with `?` may be null, where a resource may have none. `plan` of `hooklayer/management` makes them the webhook's
   * `include_resources`. Default: none.
   */
  readonly include?: readonly Path[]
  /**
   * By which an idempotency store remembers that this handler has done its part of an event whose others failed. Default: its
   * topics, and its place among the handlers of the same.
   */
  readonly name?: string
}

/** What a handler listens to and needs: a webhook that serves it subscribes to these topics and includes that. */
export interface Subscription {
  /** As they were given to `on`: `orders.place`, `orders.*` or `*`. */
  readonly topics: readonly string[]
  readonly include: readonly string[]
}

/** A handler, and what it asked for. */
export interface Registration extends Subscription {
  readonly name: string
  readonly handler: Handler
}

export interface Handlers {
  add(patterns: string | readonly string[], options: HandlerOptions, handler: Handler): void
  /** The handlers of a topic in the order of their registration, each once. */
  forTopic(topic: string): readonly Registration[]
  all(): readonly Registration[]
}

/** @param secrets tells which topics can be verified at all: what cannot earns a warning when it is registered. */
export function createHandlers(secrets: Secrets, logger: Logger): Handlers {
  const registered: Registration[] = []
  const byTopic = new Map<string, Registration[]>()
  const known = new Set<string>()
  let warned = false
  return {
    add(patterns, options, handler) {
      const list = typeof patterns === 'string' ? [patterns] : patterns
      checkPatterns(list)
      if (typeof handler !== 'function') throw new TypeError(`The handler for ${list.join(', ')} is not a function.`)
      const { include, name = defaultName(list, registered) } = checkHandlerOptions(options)
      if (registered.some((one) => one.name === name)) throw new TypeError(`There are two handlers named '${name}'.`)
      registered.push({ topics: list, include, name, handler })
      byTopic.clear()
      for (const pattern of list) {
        const oddity = known.has(pattern) ? undefined : describeOddPattern(pattern, secrets)
        if (oddity) logger.warn(oddity, { topic: pattern })
        known.add(pattern)
      }
      if (!warned && secrets.shared && (known.size > 1 || [...known].some((pattern) => pattern.endsWith('*')))) {
        warned = true
        logger.warn(SHARED_SECRET)
      }
    },
    forTopic(topic) {
      const known = byTopic.get(topic)
      if (known) return known
      const found = registered.filter(({ topics }) => matchesTopic(topics, topic))
      rememberForTopic(byTopic, topic, found)
      return found
    },
    all: () => registered,
  }
}

const SHARED_SECRET =
  'One secret serves several topics, which the signature does not cover: a captured delivery can be replayed under another. ' +
  "Give each topic its webhook's own: { 'orders.place': … }."

function checkPatterns(patterns: readonly unknown[]): void {
  if (patterns.length === 0) throw new TypeError('`on` was given no topic.')
  for (const pattern of patterns) {
    if (isTopicPattern(pattern)) continue
    throw new TypeError(`\`on\` takes a topic such as 'orders.place', or 'orders.*', or '*', not ${String(pattern)}.`)
  }
}

const PATH = /^[a-z][a-z0-9_]*\??(\.[a-z][a-z0-9_]*\??)*$/

function checkHandlerOptions({ include = [], name, ...unknown }: HandlerOptions): { include: string[]; name?: string } {
  const [first] = Object.keys(unknown)
  if (first !== undefined) throw new TypeError(`\`on\` has no option \`${first}\`.`)
  if (!Array.isArray(include) || !include.every((path) => PATH.test(path))) {
    throw new TypeError("`include` takes a list of paths such as ['customer', 'line_items.item'].")
  }
  if (name === undefined) return { include: [...include] }
  if (typeof name !== 'string' || name === '') throw new TypeError('The `name` of a handler must be text.')
  return { include: [...include], name }
}

function defaultName(topics: readonly string[], others: readonly Registration[]): string {
  const same = topics.join(' ')
  const place = others.filter((other) => other.topics.join(' ') === same).length + 1
  return `${same} ${place}`
}

/** What is odd about a pattern, in a sentence. It is registered all the same: new topics appear over time. */
function describeOddPattern(pattern: string, secrets: Secrets): string | undefined {
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
