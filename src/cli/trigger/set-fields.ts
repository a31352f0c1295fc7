import { CliError } from '../cli-error.ts'
import { escapeText } from '../terminal/output.ts'

/**
 * Reads `--set customer.email=a@b.c` into the changes of a sample. A value that is JSON, such as a number, `true` or
 * `null`, is taken as that, and any other as text. A list is set as a whole.
 */
export function readChanges(assignments: readonly string[]): Record<string, unknown> {
  const changes: Record<string, unknown> = {}
  for (const assignment of assignments) {
    const at = assignment.indexOf('=')
    const path = assignment.slice(0, Math.max(at, 0)).split('.')
    const value = readValue(assignment.slice(at + 1))
    const index = path.findIndex((name) => /^\d+$/.test(name))
    if (index > 0) throw refuseItem(path.slice(0, index), nest(path.slice(index + 1), value))
    if (at < 1 || path.some((name) => !/^[a-z][a-z\d_]*$/.test(name))) {
      throw new CliError('USAGE', '--set takes a path and a value: --set customer.email=zoe@example.com')
    }
    assign(changes, [], path, value)
  }
  return changes
}

/** Says how an item of a list is set. */
export function refuseItem(list: readonly string[], item: unknown): CliError {
  const path = list.join('.')
  const json = JSON.stringify([item]).replaceAll("'", '\\u0027') // It stands in quotes of a shell.
  return new CliError(
    'USAGE',
    escapeText(`--set ${path}: it is a list, which is set as a whole: --set '${path}=${json}'`),
  )
}

function nest(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, name) => ({ [name]: inner }), value)
}

function assign(
  changes: Record<string, unknown>,
  before: readonly string[],
  [name = '', ...rest]: readonly string[],
  value: unknown,
): void {
  if (rest.length === 0) {
    changes[name] = value
    return
  }
  const here = [...before, name]
  const inner = changes[name]
  if (Array.isArray(inner)) throw refuseItem(here, nest(rest, value))
  const next = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {}
  changes[name] = next
  assign(next, here, rest, value)
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
