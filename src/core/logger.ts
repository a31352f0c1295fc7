/**
 * A logger for the receiver: `console`, or any object with these four methods. Messages and fields hold no body, secret
 * or signature. The error that a handler threw is passed as the field `cause`.
 */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

const silent = () => {}

/** Writes warnings and errors to the console, and nothing else. */
export const defaultLogger: Logger = {
  debug: silent,
  info: silent,
  warn: (message, fields) => console.warn(message, fields ?? ''),
  error: (message, fields) => console.error(message, fields ?? ''),
}

/**
 * Wraps a logger so that an error of the logger itself cannot make a delivery fail.
 *
 * @throws TypeError if a method is missing.
 */
export function safeLogger(logger: Logger): Logger {
  const guard = (level: keyof Logger): Logger[typeof level] => {
    if (typeof logger[level] !== 'function') throw new TypeError(`The logger has no method \`${level}\`.`)
    return (message, fields) => {
      try {
        logger[level](message, fields)
      } catch {
        // An error of the logger cannot be logged.
      }
    }
  }
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') }
}
