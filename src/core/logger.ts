import { checkMethods } from './check-options.ts'
import { describeError } from './describe-error.ts'
import { boundText, escapeText } from './plain-text.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Writes messages with fields. Those of the receiver hold no body, secret or signature. A message has at most 2,000
 * characters. It may hold any character, because it may hold the message of an error. The error that a handler threw is
 * the field `cause`.
 */
export interface Logger {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
}

/**
 * A logger that a receiver or a worker can be given: `console`, or one of pino, bunyan, winston or Nest, each of which
 * gets messages, fields and errors as it takes them. Any other one is given a message and fields, with errors as they
 * are. Without `info` or `debug`, it is not given the lines of that level.
 */
export type LoggerLike = Pick<Logger, 'warn' | 'error'> & Partial<Logger>

/**
 * Writes warnings and errors to the console, and nothing else. Control characters are escaped, so that no text of
 * others can begin a line of its own or command a terminal.
 */
export const defaultLogger: LoggerLike = {
  warn: (message, fields) => console.warn(toEntry(message, fields)),
  error: (message, fields) => console.error(toEntry(message, fields)),
}

/** One text, because a console would take a `%` in the first of several arguments for a format. */
function toEntry(message: string, fields: Fields = {}): string {
  const plain: Record<string, unknown> = {}
  const thrown: unknown[] = []
  for (const [name, value] of Object.entries(fields)) {
    if (isThrown(name, value)) thrown.push(value)
    else plain[name] = typeof value === 'string' ? boundText(value) : value
  }
  const line = Object.keys(plain).length === 0 ? message : `${message} ${JSON.stringify(plain)}`
  return [escapeText(line), ...thrown.map((one) => describeError(one))].join('\n')
}

function isThrown(name: string, value: unknown): boolean {
  return name === 'cause' || value instanceof Error
}

/** For loggers that would write `{}` for an error. */
function withStacks(fields: Fields): Fields {
  const entries = Object.entries(fields)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, isThrown(name, value) ? { stack: describeError(value) } : value]),
  )
}

/** pino and bunyan know an error by the name `err`. Other fields are not read here: the level may be off. */
function withErr(fields: Fields): Fields {
  if (!('cause' in fields)) return fields
  const { cause: err, ...others } = fields
  return { ...others, err }
}

type Level = keyof Logger

/** A logger that never throws. */
export interface SafeLogger extends Logger {
  /** False if lines of this level are not written, so that they need not be made. */
  isOn(level: Level): boolean
}

type Write = (level: Level, message: string, fields?: Fields) => void

/** Finds out by its methods how a logger takes a message and fields. */
function toWrite(logger: Readonly<Record<string, (...values: unknown[]) => unknown>>): Write {
  const isBunyan = 'addSerializers' in logger
  if (isBunyan || 'bindings' in logger) {
    return (level, message, fields = {}) => logger[level]?.(withErr(isBunyan ? withStacks(fields) : fields), message)
  }
  // winston drops the fields beside a message that has a `%s` in it, unless all are one object.
  if ('transports' in logger) {
    return (level, message, fields = {}) => logger.log?.({ ...withStacks(fields), level, message })
  }
  // Nest writes each object as a line of its own.
  if (logger === (console as unknown) || (logger.log && !logger.info)) {
    return (level, message, fields) => logger[level === 'info' ? 'log' : level]?.(toEntry(message, fields))
  }
  return (level, message, fields) => logger[level]?.(message, fields)
}

function toLogger(write: Write): Logger {
  const at = (level: Level) => (message: string, fields?: Fields) => write(level, message, fields)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/**
 * Wraps a logger so that an error of the logger itself cannot make a delivery fail, and bounds the messages.
 *
 * @throws TypeError if it has no `warn` or no `error`.
 */
export function safeLogger(logger: LoggerLike): SafeLogger {
  checkMethods('logger', logger, ['warn', 'error'])
  const write = toWrite(logger as never)
  const safe = toLogger((level, message, fields) => {
    try {
      write(level, boundText(message), fields)
    } catch {
      // An error of the logger cannot be logged.
    }
  })
  return { ...safe, isOn: (level) => isOn(logger, level) }
}

/** pino, winston and Nest can tell. Nest has `log` in the place of `info`. */
function isOn(logger: object, level: Level): boolean {
  const methods = logger as Readonly<Record<string, ((level: string) => unknown) | undefined>>
  const name = level === 'info' && !methods.info ? 'log' : level
  try {
    return methods[name] !== undefined && methods.isLevelEnabled?.(name) !== false
  } catch {
    return true
  }
}

/** Adds fields to each line of a logger. */
export function bindLogger(logger: Logger, bind: (fields?: Fields) => Fields): Logger {
  return toLogger((level, message, fields) => logger[level](message, bind(fields)))
}
