import { boundText, escapeText } from './plain-text.ts'

const FRAME = /^ +at /
const MAX_FRAMES = 20
const MAX_FRAME_LENGTH = 300
/** How many causes of causes are described, and how many errors of an `AggregateError`. */
const MAX_CAUSES = 5
const MAX_ERRORS = 10

/**
 * Describes a thrown value for a log that people read: name, code, message and stack of an error, and those of its
 * causes. Each message is bounded and on one line. Properties of libraries, which may hold requests with their secrets,
 * are left out.
 */
export function describeError(thrown: unknown, depth = 0): string {
  try {
    return isErrorLike(thrown) ? describe(thrown, depth) : onOneLine(toText(thrown))
  } catch {
    return 'An error that cannot be shown.' // A getter or a proxy that throws.
  }
}

interface ErrorLike {
  readonly name?: unknown
  readonly message: string
  readonly stack?: unknown
  readonly code?: unknown
  readonly cause?: unknown
  readonly errors?: unknown
}

/** Not by `instanceof`: an error may come from another realm. */
function isErrorLike(thrown: unknown): thrown is ErrorLike {
  return typeof thrown === 'object' && thrown !== null && typeof (thrown as ErrorLike).message === 'string'
}

function describe(error: ErrorLike, depth: number): string {
  const { name = 'Error', message, code, cause, errors } = error
  const lines = [onOneLine(`${name}${code === undefined ? '' : ` (${code})`}: ${message}`), ...framesOf(error)]
  if (depth === MAX_CAUSES) return lines.join('\n')
  if (Array.isArray(errors)) lines.push(...errors.slice(0, MAX_ERRORS).map((one) => describeError(one, depth + 1)))
  if (cause !== undefined) lines.push(`Caused by ${describeError(cause, depth + 1)}`)
  return lines.join('\n')
}

/** What follows the message in the stack. Without the message in it, nobody can tell which lines are frames. */
function framesOf({ message, stack }: ErrorLike): string[] {
  const start = typeof stack === 'string' ? stack.indexOf(message) : -1
  if (start < 0) return []
  const lines = String(stack)
    .slice(start + message.length)
    .split('\n', MAX_FRAMES + 1)
  return lines.filter((line) => FRAME.test(line)).map((line) => escapeText(boundText(line, MAX_FRAME_LENGTH)))
}

function toText(thrown: unknown): string {
  return typeof thrown === 'object' ? JSON.stringify(thrown) : String(thrown)
}

function onOneLine(text: string): string {
  return escapeText(boundText(text))
}
