import { describeError } from './describe-error.ts'
import { boundText, escapeText } from './plain-text.ts'

/**
 * A logger for the receiver: `console`, or any object with these four methods. Messages and fields hold no body, secret
 * or signature. A message has at most 2,000 characters. It may hold any character, because it may hold the message of
 * an error. The error that a handler threw is passed as the field `cause`, as it is.
 */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

const silent = () => {}

/**
 * Writes warnings and errors to the console, and nothing else. Control characters are escaped, so that no text of
 * others can begin a line of its own or command a terminal.
 */
export const defaultLogger: Logger = {
  debug: silent,
  info: silent,
  warn: (message, fields) => console.warn(toEntry(message, fields)),
  error: (message, fields) => console.error(toEntry(message, fields)),
}

/** One text, because a console would take a `%` in the first of several arguments for a format. */
function toEntry(message: string, fields: Parameters<Logger['warn']>[1]): string {
  const plain: Record<string, unknown> = {}
  const thrown: unknown[] = []
  for (const [name, value] of Object.entries(fields ?? {})) {
    if (name === 'cause' || name === 'failures') thrown.push(value)
    else plain[name] = typeof value === 'string' ? boundText(value) : value
  }
  const line = Object.keys(plain).length === 0 ? message : `${message} ${JSON.stringify(plain)}`
  return [escapeText(line), ...thrown.flat().map((one) => describeError(one))].join('\n')
}

/**
 * Wraps a logger so that an error of the logger itself cannot make a delivery fail, and bounds the messages.
 *
 * @throws TypeError if a method is missing.
 */
export function safeLogger(logger: Logger): Logger {
  const guard = (level: keyof Logger): Logger[typeof level] => {
    if (typeof logger[level] !== 'function') throw new TypeError(`The logger has no method \`${level}\`.`)
    return (message, fields) => {
      try {
        logger[level](boundText(message), fields)
      } catch {
        // An error of the logger cannot be logged.
      }
    }
  }
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') }
}
