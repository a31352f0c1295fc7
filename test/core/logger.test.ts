import { ConsoleLogger } from '@nestjs/common'
import { pino } from 'pino'
import { afterEach, describe, expect, it, vi } from 'vitest'
import winston from 'winston'
import { defaultLogger, type Logger, type LoggerLike, safeLogger } from '../../src/core/logger.ts'
import { recordingLogger } from '../deliveries.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

afterEach(() => {
  vi.restoreAllMocks()
})

describe('the default logger', () => {
  it.each(['warn', 'error'] as const)('writes %s to the console', (level) => {
    const write = vi.spyOn(console, level).mockImplementation(() => {})
    defaultLogger[level]('message', { topic: 'orders.place', ms: 5 })
    defaultLogger[level]('message')
    expect(write.mock.calls).toEqual([['message {"topic":"orders.place","ms":5}'], ['message']])
  })

  /** What would begin a line, move the cursor, or turn the direction of a terminal's text. */
  const UNSAFE =
    '\r\n\t\0\u001b[2J\u0007\u007f\u0085\u009b1m\u2028\u2029\u061c\u200e\u200f\u202a\u202e\u2066\u2069\ud83d'
  const isUnsafe = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u

  it.each([
    ['of a message', `gone${UNSAFE}`, {}],
    ['of a field', 'message', { topic: UNSAFE, [UNSAFE]: 1 }],
    ['of a cause', 'message', { cause: new Error(UNSAFE) }],
    ['of a cause that is text', 'message', { cause: UNSAFE }],
    ['of a cause that is an object', 'message', { cause: { text: UNSAFE } }],
    ['of a name and a code', 'message', { cause: Object.assign(new Error('x'), { name: UNSAFE, code: UNSAFE }) }],
    ['of a cause of a cause', 'message', { cause: new Error('x', { cause: new Error(UNSAFE) }) }],
    ['of several causes', 'message', { cause: new AggregateError([new Error(UNSAFE), UNSAFE], 'two') }],
    ['of an error by another name', 'message', { reason: new Error(UNSAFE) }],
    [
      'of a changed stack',
      'message',
      { cause: Object.assign(new Error('x'), { stack: `x\n    at \u001b[2J${UNSAFE}` }) },
    ],
  ])('writes no control character %s as it is', (_, message, fields) => {
    const write = vi.spyOn(console, 'error').mockImplementation(() => {})
    defaultLogger.error(message, fields)
    const [[entry, ...rest] = []] = write.mock.calls
    expect(rest).toEqual([])
    expect(entry).toContain('\\u001b[2J')
    const lines = String(entry).split('\n')
    for (const line of lines) expect(line).not.toMatch(isUnsafe)
    for (const line of lines.slice(1)) expect(line).toMatch(/^( {4}at |Caused by |\w*Error|gone|\\r|\{|x)/)
  })

  it('takes no text for a format of the console', () => {
    const write = vi.spyOn(console, 'warn').mockImplementation(() => {})
    defaultLogger.warn('100 %s %o %c', { topic: 'orders.place' })
    expect(write.mock.calls).toEqual([['100 %s %o %c {"topic":"orders.place"}']])
  })

  it('writes the stack of a cause, and what caused it', () => {
    const write = vi.spyOn(console, 'error').mockImplementation(() => {})
    const cause = new TypeError('first', { cause: Object.assign(new Error('second'), { code: 'ECONNREFUSED' }) })
    defaultLogger.error('message', { topic: 'orders.place', cause })
    expect(write.mock.calls[0]?.[0]).toMatch(
      /^message \{"topic":"orders.place"\}\nTypeError: first\n {4}at .*logger.test.ts[\s\S]*\nCaused by Error \(ECONNREFUSED\): second\n {4}at /,
    )
  })

  it('writes nothing for debug and info', () => {
    const writers = (['log', 'debug', 'info', 'warn', 'error'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => {}),
    )
    const logger = safeLogger(defaultLogger)
    logger.debug('message')
    logger.info('message')
    for (const write of writers) expect(write).not.toHaveBeenCalled()
  })
})

describe('safeLogger', () => {
  it.each([
    ['the default', defaultLogger, false],
    ['pino at warn', pino({ level: 'warn' }), false],
    ['pino at info', pino({ level: 'info' }), true],
    ['winston at warn', winston.createLogger({ level: 'warn', silent: true }), false],
    ['winston at info', winston.createLogger({ level: 'info', silent: true }), true],
    ['the console', console, true],
    ["Nest's at log", new ConsoleLogger({ logLevels: ['log'] }), true],
    ["Nest's at warn", new ConsoleLogger({ logLevels: ['warn'] }), false],
    [
      'one that cannot tell',
      {
        ...console,
        isLevelEnabled() {
          throw new Error('I do not know.')
        },
      },
      true,
    ],
  ])('says whether lines at info are written: %s', (_, logger, isOn) => {
    expect(safeLogger(logger as LoggerLike).isOn('info')).toBe(isOn)
  })

  it.each(LEVELS)('calls %s as a method of the wrapped logger', (level) => {
    const { logger, lines } = recordingLogger()
    const stateful: Logger = { ...logger, [level]: () => {} }
    const write = vi.spyOn(stateful, level)
    safeLogger(stateful)[level]('message', { topic: 'orders.place' })
    expect(write).toHaveBeenCalledWith('message', { topic: 'orders.place' })
    expect(write.mock.contexts).toEqual([stateful])
    expect(lines).toEqual([])
  })

  it.each(LEVELS)('bounds the messages of %s to 2,000 characters', (level) => {
    const { logger, messages } = recordingLogger()
    safeLogger(logger)[level]('x'.repeat(3_000_000))
    expect(messages().map(({ length }) => length)).toEqual([2000])
  })

  it.each(LEVELS)('does not throw when %s of the wrapped logger throws', (level) => {
    const { logger } = recordingLogger()
    const broken = {
      ...logger,
      [level]: () => {
        throw new Error('disk full')
      },
    }
    expect(() => safeLogger(broken)[level]('message')).not.toThrow()
  })

  it.each(['warn', 'error'] as const)('refuses a logger without the method %s', (level) => {
    const { [level]: _, ...rest } = recordingLogger().logger
    expect(() => safeLogger(rest as Logger)).toThrow(new TypeError(`\`logger\` has no method \`${level}\`.`))
  })

  it('takes no text for a format of the console that it is given, and writes no control character as it is', () => {
    const write = vi.spyOn(console, 'error').mockImplementation(() => {})
    safeLogger(console).error('100 %s\u001b[2J', { topic: 'orders.place' })
    expect(write.mock.calls).toEqual([['100 %s\\u001b[2J {"topic":"orders.place"}']])
  })

  it('writes every level to the console that it is given', () => {
    const writes = (['debug', 'log', 'warn', 'error'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => {}),
    )
    for (const level of LEVELS) safeLogger(console)[level]('message')
    expect(writes.map(({ mock }) => mock.calls)).toEqual([[['message']], [['message']], [['message']], [['message']]])
  })
})
