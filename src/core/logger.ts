/**
 * Where the receiver writes what happened: `console`, pino's and winston's loggers by way of a line each, or your own. What
 * it is given holds no body, secret or signature; a handler's own error comes as `cause`.
 */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

const silent = () => {}

/** Warnings and errors go to the console; what went well is not worth a line unless a logger is given. */
export const defaultLogger: Logger = {
  debug: silent,
  info: silent,
  warn: (message, fields) => console.warn(message, fields ?? ''),
  error: (message, fields) => console.error(message, fields ?? ''),
}

/**
 * The same logger, except that a failure of its own cannot turn a handled delivery into a failed one.
 *
 * @throws TypeError if it lacks a method.
 */
export function safeLogger(logger: Logger): Logger {
  const guard = (level: keyof Logger): Logger[typeof level] => {
    if (typeof logger[level] !== 'function') throw new TypeError(`The logger has no method \`${level}\`.`)
    return (message, fields) => {
      try {
        logger[level](message, fields)
      } catch {
        // There is no one left to tell.
      }
    }
  }
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') }
}
