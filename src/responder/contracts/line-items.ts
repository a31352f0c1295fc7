import { type Fields, readList, wrongAnswer } from './fields.ts'
import type { Line, RequestFacts } from './request-facts.ts'

/** A line of an answer, with the line of the request that it is for. */
export interface AnsweredLine {
  readonly fields: Fields
  readonly path: string
  readonly line: Line
}

/** @throws WebhookError for a line that was not asked for, or is there twice. */
export function readLineItems(value: unknown, facts: RequestFacts, known?: readonly string[]): readonly AnsweredLine[] {
  const given = readList(value, 'data.line_items', known)
  const { lines } = facts
  if (!lines) throw wrongAnswer('data.line_items', 'cannot be checked: the request includes no `line_items`')
  const seen = new Set<string>()
  return given.map((fields, i) => {
    const path = `data.line_items[${i}]`
    const id = String(fields.id)
    const line = lines.get(id)
    if (typeof fields.id !== 'string' || !line) throw wrongAnswer(`${path}.id`, 'is not a line of the request')
    if (seen.has(id)) throw wrongAnswer(`${path}.id`, 'is there twice')
    seen.add(id)
    return { fields, path, line }
  })
}
