import { eventsOf, resourceOf } from './topics.ts'

/** Without `__`, and without `_` at the ends, so that a topic can be written as the name of a variable. */
const SNAKE_CASE = '[a-z][a-z0-9]*(?:_[a-z0-9]+)*'
/** Not the one snake_case word that every object inherits: a look-up by topic would find something for it. */
const WORD = `(?!constructor(?:\\.|$))${SNAKE_CASE}`
const TOPIC = new RegExp(`^(?=.{3,100}$)${WORD}\\.${WORD}$`)
const PATTERN = new RegExp(`^(?:\\*|${WORD}\\.(?:\\*|${WORD}))$`)

/**
 * Whether a text has the form of a topic: two snake_case words, as in `orders.place`, of at most 100 characters
 * together. No word is `constructor`, which every object inherits.
 */
export function isTopic(text: string): boolean {
  return TOPIC.test(text)
}

/**
 * Whether a value is a topic pattern: a topic (`orders.place`), all topics of a resource (`orders.*`) or every topic
 * (`*`).
 */
export function isTopicPattern(text: unknown): text is string {
  return typeof text === 'string' && PATTERN.test(text)
}

/** Whether one of the patterns matches a topic. */
export function matchesTopic(patterns: readonly string[], topic: string): boolean {
  return patterns.includes(topic) || patterns.includes(`${resourceOf(topic)}.*`) || patterns.includes('*')
}

/**
 * The topics that a pattern names: all catalog topics of a resource for `orders.*`, the topic itself for a plain topic,
 * and none for `*`.
 */
export function expandPattern(pattern: string): readonly string[] {
  if (pattern === '*') return []
  const resource = resourceOf(pattern)
  return pattern.endsWith('.*') ? (eventsOf(resource) ?? []).map((event) => `${resource}.${event}`) : [pattern]
}

/** Whether one of the subscriptions has a pattern that matches a topic. */
export function isSubscribed(subscriptions: readonly { readonly topics: readonly string[] }[], topic: string): boolean {
  return subscriptions.some(({ topics }) => matchesTopic(topics, topic))
}
