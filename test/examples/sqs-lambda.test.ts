import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SQSBatchItemFailure } from 'aws-lambda'
import { expect, it } from 'vitest'
import { noRedis, startRedis } from '../servers/redis.ts'
import { describeUnless } from '../unless.ts'
import { EXAMPLE_SECRET, runScript } from './child.ts'
import { type Erp, startErp } from './erp.ts'
import { type Shop, useShop } from './shop.ts'
import { type SqsServer, startSqs } from './sqs-server.ts'

const DELIVERIES = 'deliveries.fifo'
const DEAD_LETTERS = 'dead-letters.fifo'
const QUEUED = '202 {"outcome":"queued"}'

/** The Redis may have data of earlier runs. */
const runId = Date.now()

/** Two Lambdas with a queue between them. */
describeUnless(noRedis)('examples, installed from the packed package', { timeout: 120_000, concurrent: true }, () => {
  const shop = useShop('sqs-lambda')

  it('sqs-lambda handles each order once, however often it is queued', async () => {
    await withQueues(shop, async ({ sqs, erp, deliver, work }) => {
      expect(await deliver('a-guess')).toMatch(/^401 /)
      const order = ['OrderEEEEE', `E-${runId}`] as const
      expect(await deliver(EXAMPLE_SECRET, ...order)).toBe(QUEUED)
      sqs.forgetIds()
      expect(await deliver(EXAMPLE_SECRET, ...order)).toBe(QUEUED)
      expect(sqs.eventOf(DELIVERIES).Records).toHaveLength(2)
      expect(await work()).toEqual([])
      expect(erp.orders).toEqual([`E-${runId}`])
    })
  })

  it('sqs-lambda reports a failed delivery and the following ones of its group, and gives up one that can never succeed', async () => {
    await withQueues(shop, async ({ sqs, erp, deliver, work }) => {
      const [a, b, c, b2, d] = [`A-${runId}`, `B-${runId}`, `C-${runId}`, `B2-${runId}`, `D-${runId}`] as const
      expect(await deliver(EXAMPLE_SECRET, 'OrderAAAAA', a)).toBe(QUEUED)
      expect(await deliver(EXAMPLE_SECRET, 'OrderBBBBB', b)).toBe(QUEUED)
      expect(await deliver(EXAMPLE_SECRET, 'OrderCCCCC', c)).toBe(QUEUED)
      expect(await deliver(EXAMPLE_SECRET, 'OrderBBBBB', b2)).toBe(QUEUED)
      expect(await deliver(EXAMPLE_SECRET, 'OrderDDDDD', d)).toBe(QUEUED)
      const { Records } = sqs.eventOf(DELIVERIES)
      erp.answer(b, 500)
      erp.answer(c, 422)
      expect(await work()).toEqual([Records[1]?.messageId, Records[3]?.messageId])
      expect(erp.orders).toEqual([a, d])
      expect(sqs.eventOf(DEAD_LETTERS).Records.map(({ body }) => body)).toEqual([Records[2]?.body])
      erp.answer(b, 200)
      expect(await work()).toEqual([])
      expect(erp.orders).toEqual([a, d, b, b2])
    })
  })
})

interface Queues {
  readonly sqs: SqsServer
  readonly erp: Erp
  /** Calls the webhook's Lambda, for an order of that secret, id and number: its answer. */
  deliver(...args: readonly string[]): Promise<string>
  /** Hands the worker's Lambda all that is queued: the ids of the messages that it reported as failed. */
  work(): Promise<readonly string[]>
}

async function withQueues(shop: Shop, run: (queues: Queues) => Promise<void>): Promise<void> {
  const folder = shop.copyOf('sqs-lambda')
  const [sqs, erp, redis] = await Promise.all([startSqs(), startErp(), startRedis()])
  const env = {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'example',
    QUEUE_URL: sqs.urlOf(DELIVERIES),
    DEAD_LETTER_QUEUE_URL: sqs.urlOf(DEAD_LETTERS),
    REDIS_URL: redis.url,
    ERP_URL: erp.url,
  }
  try {
    await run({
      sqs,
      erp,
      deliver: (...args) => runScript(folder, 'start', { env, args }),
      async work() {
        const event = sqs.eventOf(DELIVERIES)
        writeFileSync(join(folder, 'event.json'), JSON.stringify(event))
        const response = JSON.parse(await runScript(folder, 'work', { env }))
        sqs.settle(DELIVERIES, event, response)
        return response.batchItemFailures.map(({ itemIdentifier }: SQSBatchItemFailure) => itemIdentifier)
      },
    })
  } finally {
    await Promise.all([sqs.close(), erp.close(), redis.close()])
  }
}
