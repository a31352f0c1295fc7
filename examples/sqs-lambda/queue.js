import { gunzipSync, gzipSync } from 'node:zlib'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'

const sqs = new SQSClient()

/** @param {import('@aws-sdk/client-sqs').SendMessageCommandInput} message */
export const send = (message) => sqs.send(new SendMessageCommand(message))

/** @type {Pick<import('hooklayer').Inbox, 'put'>} */
export const inbox = {
  async put({ id, topic, body, receivedAt, group = id }) {
    const MessageBody = JSON.stringify({ topic, receivedAt, body: gzipSync(body).toString('base64') })
    await send({ QueueUrl: process.env.QUEUE_URL, MessageBody, MessageGroupId: group, MessageDeduplicationId: id })
    return 'stored' // SQS ignores an id that it has had within five minutes, and does not say so
  },
}

/** @param {string} message */
export function deliveryIn(message) {
  const { topic, receivedAt, body } = JSON.parse(message)
  const bytes = gunzipSync(Buffer.from(body, 'base64'), { maxOutputLength: 64 * 1024 * 1024 })
  return { topic, receivedAt: new Date(receivedAt), body: bytes }
}
