import type { LooseResource } from '../../commerce-layer/resources.ts'
import { isTopicPattern, matchesTopic } from '../../commerce-layer/topic-patterns.ts'
import {
  eventsOf,
  resourceOf,
  TOPICS,
  type Topic,
  type TopicOf,
  type TopicResource,
} from '../../commerce-layer/topics.ts'
import { checkOptions, findNearest, positiveInteger } from '../check-options.ts'
import type { UnknownTopic, WebhookEvent } from '../event/event.ts'
import type { IncludePath } from '../event/include.ts'
import type { Logger } from '../logger.ts'
import { rememberForTopic } from '../topic-map.ts'
import { type Secrets, SHARED_SECRET } from '../verify/secrets.ts'

/** The topics that a handler listens to: one topic, all topics of a resource (`orders.*`), or every topic (`*`). */
export type TopicPattern = Topic | `${TopicResource}.*` | '*' | (string & {})

/** The topics that a pattern stands for. */
export type TopicsOf<P extends string> = P extends '*'
  ? Topic | UnknownTopic
  : P extends `${infer R}.*`
    ? R extends TopicResource
      ? TopicOf<R>
      : UnknownTopic
    : P

/** The second argument of a handler. */
export interface HandlerContext {
  /** Aborted when the deadline has passed: the answer is 503, and the event will be delivered again. */
  readonly signal: AbortSignal
  /**
   * The logger of the receiver. It adds `topic`, `eventId`, `resource` (`{ type, id }`), `handler` and, in a worker,
   * the number of the `attempt`.
   */
  readonly logger: Logger
}

/**
 * Handles an event. When it returns or resolves, the delivery is acknowledged. When it throws or rejects, Commerce
 * Layer retries; after a `PermanentError` it does not.
 *
 * @example
 * receiver.on('orders.place', async (event) => {
 *   await sendToErp(event.resource)
 * })
 */
export type Handler<T extends string = Topic | UnknownTopic, Path extends string = never> = (
  event: WebhookEvent<T, Path>,
  context: HandlerContext,
) => unknown

/** Options of a handler: the paths of its `include`, and the resource that has these relationships. */
export interface HandlerOptions<in out Path extends string = string, in out Resource = LooseResource> {
  /**
   * Relationships that the handler needs, as dotted paths: `['customer', 'line_items.item', 'payment_method?']`. In the
   * type of `event.resource` they are present and not null. A delivery without one of them is answered
   * `INCLUDE_MISSING`, and no handler runs. A step that ends with `?` may be null. `plan` of `hooklayer/management`
   * makes the paths the `include_resources` of the webhook. Default: none.
   */
  readonly include?: readonly IncludePath<Resource, Path>[] | undefined
  /**
   * The name under which an idempotency store records that this handler has succeeded. A handler with a name runs once
   * for each event, also if it was added after the event was handled. After a change of its name it is another handler.
   * Default: the topics of the handler, and a number among the handlers of the same topics, which count until the event
   * was handled.
   */
  readonly name?: string | undefined
  /**
   * Milliseconds after which a worker aborts an attempt of this handler. The longest of an event's handlers counts.
   * Default: that of the worker.
   */
  readonly attemptTimeoutMs?: number | undefined
}

/** The topics and the includes of a handler: those that its webhooks must have. */
export interface Subscription {
  /** The patterns as given to `on`: `orders.place`, `orders.*` or `*`. */
  readonly topics: readonly string[]
  readonly include: readonly string[]
  /** Absent if the handler has none of its own. */
  readonly attemptTimeoutMs?: number
}

/** A registered handler. */
export interface Registration extends Subscription {
  readonly name: string
  /** Whether the name was given. It then stands for the handler in all processes, and after a deployment. */
  readonly isNamed: boolean
  readonly handler: Handler
}

export interface Handlers {
  add(patterns: string | readonly string[], options: HandlerOptions, handler: Handler): void
  /** The handlers of a topic in the order of their registration, each once. */
  forTopic(topic: string): readonly Registration[]
  /** Whether a handler has exactly this topic, and not only a pattern such as `orders.*`. */
  isNamed(topic: string): boolean
  all(): readonly Registration[]
}

/** @param secrets tells which topics have a secret: a handler for a topic without one is registered with a warning. */
export function createHandlers(secrets: Secrets, logger: Logger): Handlers {
  const registered: Registration[] = []
  const byTopic = new Map<string, Registration[]>()
  const seenPatterns = new Set<string>()
  let warned = false
  return {
    add(patterns, options, handler) {
      const list = typeof patterns === 'string' ? [patterns] : patterns
      checkPatterns(list)
      if (typeof handler !== 'function') throw new TypeError(`The handler for ${list.join(', ')} is not a function.`)
      const { name: given, ...others } = checkHandlerOptions(options)
      const name = given ?? defaultName(list, registered)
      if (registered.some((one) => one.name === name)) throw new TypeError(`There are two handlers named '${name}'.`)
      registered.push({ topics: list, name, isNamed: given !== undefined, handler, ...others })
      byTopic.clear()
      for (const pattern of list) {
        const warning = seenPatterns.has(pattern) ? undefined : describePatternProblem(pattern, secrets)
        if (warning) logger.warn(warning, { topic: pattern })
        seenPatterns.add(pattern)
      }
      if (
        !warned &&
        secrets.isShared &&
        (seenPatterns.size > 1 || [...seenPatterns].some((pattern) => pattern.endsWith('*')))
      ) {
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
    isNamed: (topic) => seenPatterns.has(topic),
    all: () => registered,
  }
}

function checkPatterns(patterns: readonly unknown[]): void {
  if (patterns.length === 0) throw new TypeError('`on` was given no topic.')
  for (const pattern of patterns) {
    if (isTopicPattern(pattern)) continue
    throw new TypeError(`\`on\` takes a topic such as 'orders.place', or 'orders.*', or '*', not ${String(pattern)}.`)
  }
}

const PATH = /^[a-z][a-z0-9_]*\??(\.[a-z][a-z0-9_]*\??)*$/

/** 0 is that of the worker. */
const HANDLER_RULES = { attemptTimeoutMs: positiveInteger(0) }

function checkHandlerOptions(options: HandlerOptions): Omit<Subscription, 'topics'> & { readonly name?: string } {
  const { attemptTimeoutMs } = checkOptions('`on`', options, HANDLER_RULES, ['include', 'name'])
  const { include = [], name } = options
  if (!Array.isArray(include) || !include.every((path) => PATH.test(path))) {
    throw new TypeError("`include` takes a list of paths such as ['customer', 'line_items.item'].")
  }
  const checked = { include: [...include], ...(attemptTimeoutMs > 0 && { attemptTimeoutMs }) }
  if (name === undefined) return checked
  // PostgreSQL cannot store NUL.
  const text = typeof name === 'string' && name.replaceAll('\0', '')
  if (!text) throw new TypeError('The `name` of a handler must be text.')
  return { ...checked, name: text }
}

function defaultName(topics: readonly string[], others: readonly Registration[]): string {
  const topicsKey = topics.join(' ')
  const place = others.filter((other) => other.topics.join(' ') === topicsKey).length + 1
  return `${topicsKey} ${place}`
}

/** Describes what is unusual about a pattern. It is registered all the same: Commerce Layer adds topics over time. */
function describePatternProblem(pattern: string, secrets: Secrets): string | undefined {
  if (pattern === '*') return undefined
  const resource = resourceOf(pattern)
  const event = pattern.slice(resource.length + 1)
  const known = eventsOf(resource)
  if (!known || ![...known, '*'].includes(event)) {
    const names = known ?? Object.keys(TOPICS)
    const nearest = findNearest(known ? event : resource, names)
    const meant = known ? `${resource}.${nearest}` : `${nearest}.${event}`
    const suggestion = nearest ? ` Did you mean ${meant}?` : ''
    return `${pattern} is not a known topic.${suggestion} Known ${known ? 'events' : 'resources'}: ${names.join(', ')}.`
  }
  return event !== '*' && secrets.hasNoSecret(pattern) ? `${pattern} has a handler but no secret.` : undefined
}
