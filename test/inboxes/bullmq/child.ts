/** A process that leases all deliveries, reports them to its parent, and never settles: `child.ts <engine> <url>`. */
import { createBullmqInbox } from '../../../src/inboxes/bullmq.ts'

const [engine = '', url = ''] = process.argv.slice(2)
const inbox = createBullmqInbox({ [engine]: url, leaseMs: 600 })
const report = (message: string) => process.send?.(message)

inbox.consume(
  async ({ id }) => {
    report(id)
    await new Promise(() => {})
  },
  { concurrency: 4, concurrencyByTopic: {}, attempts: 5, delayMs: () => 10, onError: (error) => report(String(error)) },
)
