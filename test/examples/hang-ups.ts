import { createDelivery } from 'hooklayer/testing'
import { connect, headOf, requestOf } from '../contracts/adapter/raw-client.ts'
import { openSession } from '../contracts/adapter/stream-client.ts'

const MEGABYTE = 1024 * 1024
const target = (port: number) => ({ url: `http://localhost:${port}/webhooks` })

/** Sends what senders leave half done: whatever they leave, the server must go on. */
export async function hangUpOn(port: number): Promise<void> {
  const { headers, body } = await createDelivery('orders.place')
  const sent = { headers: headers as Record<string, string>, body: Buffer.from(body) }
  const whole = requestOf(target(port), sent)
  const vast = headOf(target(port), { ...sent.headers, 'content-length': String(64 * MEGABYTE) })
  const chunked = headOf(target(port), { ...sent.headers, 'transfer-encoding': 'chunked' })
  const beginnings = [
    '',
    whole.subarray(0, 20),
    whole.subarray(0, -10),
    whole,
    `${chunked}5\r\nhel`,
    `${chunked}zz\r\n`,
    Buffer.concat([Buffer.from(vast), Buffer.alloc(MEGABYTE)]),
    'GET /webhooks HTTP/1.1\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ]
  for (const beginning of beginnings) {
    for (const how of ['reset', 'end'] as const) {
      const client = await connect(target(port))
      await client.send(beginning)
      if (how === 'end') await pause()
      client[how]()
      if (how === 'end') await pause()
      client.reset()
    }
  }
}

/** The same on a server of HTTP/2. */
export async function hangUpOnStreams(port: number): Promise<void> {
  const { headers, body } = await createDelivery('orders.place')
  const bytes = Buffer.from(body)
  const client = await openSession(target(port))
  const begin = () => client.begin({ ...(headers as Record<string, string>), 'content-length': String(bytes.length) })
  begin().reset()
  for (const sent of [bytes.subarray(0, 0), bytes.subarray(0, -10), bytes]) {
    const request = begin()
    request.stream.write(sent)
    await pause()
    request.reset()
  }
  const endless = client.begin(headers as Record<string, string>)
  for (let megabytes = 0; megabytes < 6; megabytes += 1) endless.stream.write(Buffer.alloc(MEGABYTE))
  await pause()
  endless.reset()
  begin().stream.write(bytes.subarray(0, -10))
  await pause()
  client.breakOff()
  await hangUpOn(port)
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 30))
}
