import { TOPICS } from 'hooklayer'
import { findNearest } from '../../core/check-options.ts'
import { escapeText, type Output } from '../terminal/output.ts'

/** All topics that Commerce Layer is known to have. */
export const CATALOG: readonly string[] = Object.entries(TOPICS).flatMap(([resource, events]) =>
  events.map((event) => `${resource}.${event}`),
)

/** The topic that a misspelled one is nearest to; `undefined` if none is near. */
export function nearestTopic(text: string): string | undefined {
  return findNearest(text, CATALOG)
}

/** Says that a topic is misspelled or new. */
export function describeUnknownTopic(topic: string): string {
  const meant = nearestTopic(topic)
  return escapeText(`${topic} is not in the catalog of topics.${meant ? ` Did you mean ${meant}?` : ''}`)
}

/** Warns of a topic that is misspelled or new. It can be sent all the same, because Commerce Layer adds topics. */
export function warnOfUnknownTopic(topic: string, output: Output): void {
  if (!CATALOG.includes(topic)) output.warn(describeUnknownTopic(topic))
}
