import { createHash, randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { listen } from '../contracts/adapter/listen.ts'

/** Queues that keep messages and call no Lambda: the test passes the messages on. */
export interface SqsServer {
  /** The URL of a FIFO queue. */
  urlOf(queue: string): string
  /** The event with all messages of a queue, as its trigger would pass it to a Lambda. */
  eventOf(queue: string): SQSEvent
  /** Deletes the messages that a Lambda got and did not report as failed, as the trigger does. */
  settle(queue: string, event: SQSEvent, response: SQSBatchResponse): void
  /** Forgets deduplication ids, as SQS does after five minutes. */
  forgetIds(): void
  close(): Promise<void>
}

interface SendMessage {
  readonly QueueUrl: string
  readonly MessageBody: string
  readonly MessageGroupId: string
  readonly MessageDeduplicationId: string
}

/**
 * `SendMessage` of SQS's JSON protocol for FIFO queues, as AWS's SDK uses it: signed requests, MD5 sums that the client
 * checks, deduplication ids. Source: the API reference of SQS.
 */
export async function startSqs(): Promise<SqsServer> {
  const queues = new Map<string, SQSRecord[]>()
  const known = new Map<string, object>()

  const server = await listen(async (request, response) => {
    const message = (await json(request)) as SendMessage
    const isSigned = request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 ')
    if (!isSigned || request.headers['x-amz-target'] !== 'AmazonSQS.SendMessage') {
      return answer(response, 400, { __type: 'com.amazon.coral.service#UnknownOperationException' })
    }
    const id = `${message.QueueUrl} ${message.MessageDeduplicationId}`
    const sent = known.get(id) ?? send(message)
    known.set(id, sent)
    return answer(response, 200, sent)
  })

  function send({ QueueUrl, MessageBody, MessageGroupId, MessageDeduplicationId }: SendMessage): object {
    const queue = QueueUrl.split('/').at(-1) ?? ''
    const record = recordOf(queue, MessageBody, { MessageGroupId, MessageDeduplicationId })
    queues.set(queue, [...(queues.get(queue) ?? []), record])
    return { MessageId: record.messageId, MD5OfMessageBody: record.md5OfBody }
  }

  return {
    urlOf: (queue) => `${server.url}000000000000/${queue}`,
    eventOf: (queue) => ({ Records: [...(queues.get(queue) ?? [])] }),
    settle(queue, { Records }, { batchItemFailures }) {
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
      const done = new Set(Records.map(({ messageId }) => messageId).filter((id) => !failed.has(id)))
      queues.set(queue, queues.get(queue)?.filter(({ messageId }) => !done.has(messageId)) ?? [])
    },
    forgetIds: () => known.clear(),
    close: server.close,
  }
}

function recordOf(
  queue: string,
  body: string,
  ids: Pick<SQSRecord['attributes'], 'MessageGroupId' | 'MessageDeduplicationId'>,
): SQSRecord {
  const now = String(Date.now())
  return {
    messageId: randomUUID(),
    receiptHandle: randomUUID(),
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: now,
      SenderId: 'AIDAEXAMPLE',
      ApproximateFirstReceiveTimestamp: now,
      ...ids,
    },
    messageAttributes: {},
    md5OfBody: createHash('md5').update(body).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:eu-central-1:000000000000:${queue}`,
    awsRegion: 'eu-central-1',
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body))
}
