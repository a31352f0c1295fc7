/** A process that takes out whatever there is, tells its parent, and never ends: `bullmq-child.ts <engine> <url>`. */
import { createBullmqInbox } from '../../../src/inboxes/bullmq.ts'

const [engine = '', url = ''] = process.argv.slice(2)
const inbox = createBullmqInbox({ [engine]: url, leaseMs: 600 })
const tell = (message: string) => process.send?.(message)

inbox.consume(
  async ({ id }) => {
    tell(id)
    await new Promise(() => {})
  },
  { concurrency: 4, concurrencyByTopic: {}, attempts: 5, delayMs: () => 10, onError: (error) => tell(String(error)) },
)
