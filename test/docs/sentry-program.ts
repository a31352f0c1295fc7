/** A shop with the recipe for Sentry: `sentry-program.ts <module with Sentry and the recipe> <DSN>`. */
import { createReceiver } from 'hooklayer'
import type { Observer } from 'hooklayer/drivers'
import { CART, delivery, recordingLogger, SECRET } from '../deliveries.ts'

interface Entry {
  readonly sentry: Observer
  readonly Sentry: {
    init(options: { dsn: string }): void
    captureException(error: unknown): void
    flush(timeoutMs: number): Promise<boolean>
  }
}

const [entry = '', dsn = ''] = process.argv.slice(2)
const { Sentry, sentry } = (await import(entry)) as Entry
Sentry.init({ dsn })
const { logger } = recordingLogger()
const receiver = createReceiver({ secrets: SECRET, logger, observers: [sentry] })
let failures = 0
for (const name of ['erp', 'mail']) {
  receiver.on('orders.place', { name }, async () => {
    await new Promise((resolve) => setTimeout(resolve, 1))
    failures += 1 // Sentry sends no error twice in a row.
    const error = new Error(`${name} is down: ${failures}`)
    Sentry.captureException(error)
    throw error
  })
}
const placed = delivery('orders.place', CART)
for (let i = 0; i < 10; i += 1) await receiver.receive(placed)
await Sentry.flush(5000)
process.exit()
