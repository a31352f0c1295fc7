import { CliError } from '../cli-error.ts'

/**
 * Reads `--set customer.email=a@b.c` into the changes of a sample. A value that is JSON, such as a number, `true` or
 * `null`, is taken as that, and any other as text.
 */
export function readChanges(assignments: readonly string[]): Record<string, unknown> {
  const changes: Record<string, unknown> = {}
  for (const assignment of assignments) {
    const at = assignment.indexOf('=')
    const path = assignment.slice(0, Math.max(at, 0)).split('.')
    if (at < 1 || path.some((name) => !/^[a-z][a-z\d_]*$/.test(name))) {
      throw new CliError('USAGE', '--set takes a path and a value: --set customer.email=zoe@example.com')
    }
    assign(changes, path, readValue(assignment.slice(at + 1)))
  }
  return changes
}

function assign(changes: Record<string, unknown>, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    changes[name] = value
    return
  }
  const inner = changes[name]
  const next = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {}
  changes[name] = next
  assign(next, rest, value)
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
