/**
 * A process whose worker reports what it has handled: `deadly-child.ts <engine> <url> <does>`. It ends when it handles
 * the delivery `deadly` (`exits`), or soon after its start, whatever it handles (`crashes`).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createBullmqInbox } from '../../../src/inboxes/bullmq.ts'

const [engine = '', url = '', does = ''] = process.argv.slice(2)
const inbox = createBullmqInbox({ [engine]: url, leaseMs: 600 })

if (does === 'crashes') setTimeout(() => process.exit(1), 2000)

inbox.consume(
  async ({ id }) => {
    if (does === 'crashes') setTimeout(() => process.exit(1), 300)
    await sleep(100)
    if (id === 'deadly') process.exit(1)
    await sleep(does === 'crashes' ? 60_000 : 400)
    process.send?.(id)
  },
  {
    concurrency: 10,
    concurrencyByTopic: {},
    attempts: 4,
    delayMs: (attempt) => (does === 'crashes' ? 1000 * 2 ** attempt : 100 * attempt),
    onError: () => {},
  },
)
