import { afterEach, describe, expect, it, vi } from 'vitest'
import { defaultLogger, type Logger, safeLogger } from '../../src/core/logger.ts'
import { recordingLogger } from '../deliveries.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

afterEach(() => {
  vi.restoreAllMocks()
})

describe('the default logger', () => {
  it.each(['warn', 'error'] as const)('writes %s to the console', (level) => {
    const write = vi.spyOn(console, level).mockImplementation(() => {})
    defaultLogger[level]('message', { topic: 'orders.place' })
    defaultLogger[level]('message')
    expect(write.mock.calls).toEqual([
      ['message', { topic: 'orders.place' }],
      ['message', ''],
    ])
  })

  it('writes nothing for debug and info', () => {
    const writers = (['log', 'debug', 'info', 'warn', 'error'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => {}),
    )
    defaultLogger.debug('message')
    defaultLogger.info('message')
    for (const write of writers) expect(write).not.toHaveBeenCalled()
  })
})

describe('safeLogger', () => {
  it.each(LEVELS)('calls %s as a method of the wrapped logger', (level) => {
    const { logger, lines } = recordingLogger()
    const stateful: Logger = { ...logger, [level]: () => {} }
    const write = vi.spyOn(stateful, level)
    safeLogger(stateful)[level]('message', { topic: 'orders.place' })
    expect(write).toHaveBeenCalledWith('message', { topic: 'orders.place' })
    expect(write.mock.contexts).toEqual([stateful])
    expect(lines).toEqual([])
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

  it.each(LEVELS)('refuses a logger without the method %s', (level) => {
    const { [level]: _, ...rest } = recordingLogger().logger
    expect(() => safeLogger(rest as Logger)).toThrow(new TypeError(`The logger has no method \`${level}\`.`))
  })
})
