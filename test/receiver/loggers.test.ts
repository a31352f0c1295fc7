import 'reflect-metadata'
import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { ConsoleLogger, Logger as NestLogger } from '@nestjs/common'
import bunyan from 'bunyan'
import { createReceiver, createWorker, type Handler, type ReceiverOptions } from 'hooklayer'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { pino } from 'pino'
import { afterEach, describe, expect, it, vi } from 'vitest'
import winston from 'winston'
import { CART, delivery, nested, recordingLogger, SECRET } from '../deliveries.ts'
import { waitFor } from '../wait-for.ts'

type LoggerOption = NonNullable<ReceiverOptions['logger']>
/** Makes a logger of a library that writes to a stream, from a level on. */
type MakeLogger = (stream: Writable, level: 'debug' | 'info' | 'warn') => LoggerOption

const makeWinston = (format: winston.Logform.Format): MakeLogger => {
  return (stream, level) =>
    winston.createLogger({ level, format, transports: [new winston.transports.Stream({ stream })] })
}

/** Nest and the console write to the streams of the process. */
function redirect(to: Writable): void {
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => to.write(chunk))
  }
}

const NEST_LEVELS = {
  debug: ['error', 'warn', 'log', 'debug'],
  info: ['error', 'warn', 'log'],
  warn: ['error', 'warn'],
} as const

const LOGGERS: Readonly<Record<string, MakeLogger>> = {
  pino: (stream, level) => pino({ level }, stream),
  'a child of pino': (stream, level) => pino({ level }, stream).child({ service: 'shop' }),
  bunyan: (stream, level) => bunyan.createLogger({ name: 'shop', streams: [{ stream, level }] }),
  'bunyan with its serializers': (stream, level) =>
    bunyan.createLogger({ name: 'shop', serializers: bunyan.stdSerializers, streams: [{ stream, level }] }).child({}),
  winston: makeWinston(winston.format.json()),
  'winston with lines of text': makeWinston(winston.format.simple()),
  'winston with placeholders': makeWinston(winston.format.combine(winston.format.splat(), winston.format.json())),
  'a child of winston': (stream, level) =>
    (makeWinston(winston.format.json())(stream, level) as winston.Logger).child({ service: 'shop' }),
  'the Logger of Nest': (stream, level) => {
    redirect(stream)
    NestLogger.overrideLogger([...NEST_LEVELS[level]])
    return new NestLogger('Hooklayer')
  },
  'the ConsoleLogger of Nest, in JSON': (stream, level) => {
    redirect(stream)
    return new ConsoleLogger({ json: true, logLevels: [...NEST_LEVELS[level]] })
  },
}

afterEach(() => {
  vi.restoreAllMocks()
})

function textStream() {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  return { stream, text: () => text }
}

/** Of the event, of its resource, and of the line. */
const NAMES = { topic: 'orders.place', type: 'orders', id: 'NrlYhpzLKA', handler: 'erp', erp: 7 }

/** The text that a logger has written, without the escapes of JSON and the colors of terminals. */
function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll('\\"', '"').replaceAll('\\\\n', '\\n')
}

/** Has a receiver handle one delivery, and gives what its logger has written. */
async function written(
  makeLogger: MakeLogger,
  level: 'debug' | 'info' | 'warn',
  handler: Handler<'orders.place'> = () => {},
) {
  const { stream, text } = textStream()
  const receiver = createReceiver({ secrets: { 'orders.place': SECRET }, logger: makeLogger(stream, level) })
  receiver.on('orders.place', { name: 'erp' }, handler)
  await receiver.receive(delivery('orders.place', CART))
  return plain(text())
}

describe.each(Object.entries(LOGGERS))('%s as the logger of a receiver', (_, makeLogger) => {
  it('never loses the error of a handler, its stack or its cause, nor which order it was', async () => {
    const text = await written(makeLogger, 'info', () => {
      throw new TypeError('the ERP is 100%s down', { cause: new RangeError('no route') })
    })
    expect(text).toContain('orders.place: 500 HANDLER_FAILED. A handler failed.')
    expect(text).toContain('"code":"HANDLER_FAILED"')
    expect(text).toContain('"id":"NrlYhpzLKA"')
    expect(text).toContain('"handler":"erp"')
    expect(text).toMatch(/TypeError: the ERP is 100%s down(\\n|\n)? +at .*loggers\.test\.ts/)
    expect(text).toMatch(/RangeError: no route(\\n|\n) +at .*loggers\.test\.ts/)
  })

  it('never loses one of several errors', async () => {
    const { stream, text } = textStream()
    const receiver = createReceiver({ secrets: { 'orders.place': SECRET }, logger: makeLogger(stream, 'info') })
    for (const message of ['first', 'second']) {
      receiver.on('orders.place', () => {
        throw new Error(message)
      })
    }
    await receiver.receive(delivery('orders.place', CART))
    expect(plain(text())).toMatch(/Error: first(\\n|\n) +at .*Error: second(\\n|\n) +at /s)
  })

  it('never loses an error that a handler logs, nor the fields beside a percent sign', async () => {
    const text = await written(makeLogger, 'info', (_, { logger }) => {
      logger.warn('only 20%s of stock', { sku: 'TSHIRT', cause: new Error('sold out') })
    })
    expect(text).toContain('only 20%s of stock')
    expect(text).toContain('"sku":"TSHIRT"')
    expect(text).toMatch(/Error: sold out(\\n|\n) +at .*loggers\.test\.ts/)
  })

  it('never drops the name of the event and of the handler from what a handler logs', async () => {
    const text = await written(makeLogger, 'info', (_, { logger }) => logger.info('sent', { erp: 7 }))
    for (const [name, value] of Object.entries(NAMES)) {
      expect(text).toContain(`"${name}":${JSON.stringify(value)}`)
    }
    expect(text).toMatch(/"eventId":"[0-9a-f]{64}"/)
  })

  it('never loses a line that has no fields', () => {
    const { stream, text } = textStream()
    const receiver = createReceiver({ secrets: SECRET, logger: makeLogger(stream, 'warn') })
    receiver.on('*', () => {})
    expect(text()).toContain('Several topics share one secret')
  })

  it('gets one line at info for an event that was handled, and none of a level that is off', async () => {
    const lines = (await written(makeLogger, 'info')).trim().split('\n')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/orders\.place handled.*"outcome":"handled"|"outcome":"handled".*orders\.place handled/)
    expect(lines[0]).toMatch(/"eventId":"[0-9a-f]{64}"/)
    expect(await written(makeLogger, 'warn')).toBe('')
  })
})

describe('a logger that is not known', () => {
  const makePlain = (lines: unknown[]) => ({
    warn: (...line: unknown[]) => lines.push(line),
    error: (...line: unknown[]) => lines.push(line),
  })

  it('may do without `info` and `debug`, and gets an error as it is', async () => {
    const lines: unknown[] = []
    const cause = new Error('down')
    const receiver = createReceiver({ secrets: { 'orders.place': SECRET }, logger: makePlain(lines) })
    receiver.on('orders.place', (_, { logger }) => {
      logger.debug('nobody')
      logger.info('nobody')
      throw cause
    })
    await receiver.receive(delivery('orders.place', CART))
    const [[message, fields]] = lines as [[string, { cause: unknown }]]
    expect(message).toContain('HANDLER_FAILED')
    expect(fields.cause).toBe(cause)
    expect(lines).toHaveLength(1)
  })

  it('is refused without `error`', () => {
    const { warn } = makePlain([])
    expect(() => createReceiver({ secrets: SECRET, logger: { warn } as never })).toThrow(
      new TypeError('`logger` has no method `error`.'),
    )
  })

  it('is told the fields of a handler, also where they have the names of ours', async () => {
    const { logger, lines } = recordingLogger()
    const receiver = createReceiver({ secrets: SECRET, logger })
    receiver.on('orders.place', (_, { logger }) => logger.warn('mine', { eventId: 7, handler: 'mine' }))
    await receiver.receive(delivery('orders.place', CART))
    expect(lines[0]?.fields).toMatchObject({ topic: 'orders.place', eventId: 7, handler: 'mine' })
  })

  it('is not told the id of an event by a handler whose document has none, but all the rest', async () => {
    const lines: unknown[] = []
    const receiver = createReceiver({ secrets: { 'orders.place': SECRET }, logger: makePlain(lines) })
    receiver.on('orders.place', (_, { logger }) => logger.warn('deep'))
    await receiver.receive(delivery('orders.place', nested(600)))
    expect(lines).toMatchObject([['deep', { topic: 'orders.place', eventId: undefined, handler: 'orders.place 1' }]])
  })
})

it.each([
  ['with a store', { idempotency: { store: createMemoryStore() } }],
  ['without one', {}],
])('never leaves the number of the attempt out of what a handler of a worker logs, %s', async (_, options) => {
  const { logger, lines } = recordingLogger()
  const inbox = createMemoryInbox()
  const receiver = createReceiver({ secrets: { 'orders.place': SECRET }, logger, inbox, ...options })
  receiver.on('orders.place', (_, { logger }) => {
    logger.info('sent')
    if (lines.length < 3) throw new Error('down')
  })
  await receiver.receive(delivery('orders.place', CART))
  const worker = createWorker({ receiver, inbox, logger, backoffMs: 1 })
  try {
    await waitFor(() =>
      expect(lines.filter(({ level }) => level === 'info')).toMatchObject([
        { message: 'sent', fields: { attempt: 1, handler: 'orders.place 1' } },
        { message: 'sent', fields: { attempt: 2 } },
        { message: 'orders.place handled', fields: { attempt: 2, outcome: 'handled' } },
      ]),
    )
  } finally {
    await worker.stop()
    await inbox.close()
  }
})
