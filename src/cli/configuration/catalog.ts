import { TOPICS } from 'hooklayer'
import { escapeText, type Output } from '../terminal/output.ts'

/** All topics that Commerce Layer is known to have. */
export const CATALOG: readonly string[] = Object.entries(TOPICS).flatMap(([resource, events]) =>
  events.map((event) => `${resource}.${event}`),
)

/** The topic that has the longest beginning in common with a text. */
export function nearestTopic(text: string): string {
  let [nearest, length] = ['orders.place', 0]
  for (const topic of CATALOG) {
    let common = 0
    while (common < text.length && topic[common] === text[common]) common += 1
    if (common > length) [nearest, length] = [topic, common]
  }
  return nearest
}

/** Warns of a topic that is misspelled or new. It can be sent all the same, because Commerce Layer adds topics. */
export function warnOfUnknownTopic(topic: string, output: Output): void {
  if (CATALOG.includes(topic)) return
  output.warn(escapeText(`${topic} is not in the catalog of topics. Did you mean ${nearestTopic(topic)}?`))
}
