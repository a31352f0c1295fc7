import { type Fields, pathOf, readList, wrongAnswer } from './fields.ts'
import type { Line, RequestFacts } from './request-facts.ts'

/** A line of an answer, with the line of the request that it is for. */
export interface AnsweredLine {
  readonly fields: Fields
  /** Where it is in `data.line_items`. */
  readonly index: number
  readonly line: Line
}

const PATH = 'data.line_items'

/** The path of a field of a line, for errors. */
export function pathOfField({ index }: AnsweredLine, name: string): string {
  return `${pathOf(PATH, index)}.${name.slice(0, 50)}`
}

/** @throws WebhookError for a line that was not asked for, or is there twice. */
export function readLineItems(value: unknown, facts: RequestFacts, known?: readonly string[]): readonly AnsweredLine[] {
  const given = readList(value, PATH, known)
  const { lines } = facts
  if (!lines) throw wrongAnswer(PATH, 'cannot be checked: the request includes no `line_items`')
  const seen = new Set<unknown>()
  return given.map((fields, index) => {
    const { id } = fields
    const line = typeof id === 'string' ? lines.get(id) : undefined
    if (!line) throw wrongAnswer(`${pathOf(PATH, index)}.id`, 'is not a line of the request')
    if (seen.has(id)) throw wrongAnswer(`${pathOf(PATH, index)}.id`, 'is there twice')
    seen.add(id)
    return { fields, index, line }
  })
}
