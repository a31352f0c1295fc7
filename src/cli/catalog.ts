import { TOPICS } from 'hooklayer'

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
