import { createReceiver, isWebhookError, PermanentError, secretsFromEnv } from 'hooklayer'
import { createLambdaHandler } from 'hooklayer/lambda'
import { createRedisStore } from 'hooklayer/stores/redis'
import { Redis } from 'ioredis'
import { deliveryIn, inbox, send } from './queue.js'

const { ERP_URL = '', REDIS_URL = '', DEAD_LETTER_QUEUE_URL } = process.env
const store = createRedisStore({ client: new Redis(REDIS_URL, { lazyConnect: true }) })
/** @param {string} topic */ // called when a delivery arrives: the worker has no secrets
const secrets = (topic) => secretsFromEnv()[topic]
const receiver = createReceiver({ secrets, inbox, ordering: 'resource', idempotency: { store } })

receiver.on('orders.place', async ({ resource: { number }, id }, { signal }) => {
  const headers = { 'idempotency-key': id }
  const { ok, status } = await fetch(ERP_URL, { method: 'POST', headers, body: JSON.stringify({ number }), signal })
  if (status === 422) throw new PermanentError('The ERP does not want this order.')
  if (!ok) throw new Error(`The ERP answered ${status}.`)
})

export const webhook = createLambdaHandler(receiver)

/** @type {(event: import('aws-lambda').SQSEvent, context: { getRemainingTimeInMillis(): number }) => Promise<object>} */
export async function worker({ Records }, context) {
  const signal = AbortSignal.timeout(context.getRemainingTimeInMillis() - 2000)
  const stuck = new Set() // groups with a failure: what follows it must wait, to keep the order
  const batchItemFailures = []
  for (const record of Records) {
    const { MessageGroupId } = record.attributes
    if (!signal.aborted && !stuck.has(MessageGroupId) && (await isDone(record, signal))) continue
    stuck.add(MessageGroupId)
    batchItemFailures.push({ itemIdentifier: record.messageId })
  }
  return { batchItemFailures }
}

/** @type {(record: import('aws-lambda').SQSRecord, signal: AbortSignal) => Promise<boolean>} */
async function isDone({ body, attributes: { MessageGroupId, MessageDeduplicationId } }, signal) {
  try {
    await receiver.handleStored(deliveryIn(body), { signal })
  } catch (error) {
    if (isWebhookError(error) && error.retryable) return false
    // Another attempt would not help, and SQS has no other way to give up at once.
    await send({ QueueUrl: DEAD_LETTER_QUEUE_URL, MessageBody: body, MessageGroupId, MessageDeduplicationId })
  }
  return true
}
