import { createHmac, timingSafeEqual } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { builtCore, builtExpress } from './built.ts'
import { SECRET, TOPIC } from './signed.ts'
import { readOrder } from './subjects.ts'

/** What the process that measures asks for, by message. */
export type Question = 'rss' | 'end'
/** What it is told: where the server listens, then its peak memory in kilobytes. */
export type Answer = { readonly port: number } | { readonly peakKilobytes: number }

const app = express()
if (process.argv[2] === 'ours') await mountOurs(app)
else mountHandWritten(app)

const server = app.listen(0, '127.0.0.1', () => tell({ port: (server.address() as AddressInfo).port }))
process.on('message', (question: Question) => {
  if (question === 'end') process.exit()
  tell({ peakKilobytes: process.resourceUsage().maxRSS })
})

function tell(answer: Answer): void {
  process.send?.(answer)
}

async function mountOurs(app: Express): Promise<void> {
  const [{ createReceiver }, { createExpressMiddleware }] = [await builtCore(), await builtExpress()]
  const receiver = createReceiver({ secrets: { [TOPIC]: SECRET } }).on(TOPIC, readOrder)
  app.post('/webhooks', createExpressMiddleware(receiver))
}

/** What one would write without a library, and write well: over the bytes, in constant time. */
function mountHandWritten(app: Express): void {
  app.post('/webhooks', express.raw({ type: '*/*', limit: '5mb' }), (request, response) => {
    const expected = createHmac('sha256', SECRET).update(request.body).digest()
    const received = Buffer.from(request.get('x-commercelayer-signature') ?? '', 'base64')
    if (received.length !== expected.length || !timingSafeEqual(received, expected)) {
      response.status(401).json({ ok: false })
      return
    }
    const { data } = JSON.parse(request.body)
    response.json({ ok: data.type === 'orders' })
  })
}
