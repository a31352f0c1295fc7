import { Agent, request } from 'node:http'
import { createDelivery, type TestDelivery } from 'hooklayer/testing'
import type { Sender } from './sender.ts'

const CONNECTIONS = 8

export interface BusyConnections {
  /** The statuses of the answers so far. */
  readonly statuses: readonly number[]
  stop(): void
}

/** Sends over a few connections, each as fast as it is answered, until a connection is refused. */
export function keepBusy(port: number, secrets: Sender['secrets']): BusyConnections {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const statuses: number[] = []
  let sent = 0
  let isOver = false
  async function sendRepeatedly(): Promise<void> {
    while (!isOver) {
      const delivery = await createDelivery('customers.create', {
        resource: { id: `customer${++sent}` },
        secret: secrets['customers.create'],
      })
      statuses.push(await post(port, delivery, agent))
    }
  }
  for (let at = 0; at < CONNECTIONS; at++) sendRepeatedly().catch(() => {})
  return {
    stop() {
      isOver = true
      agent.destroy()
    },
    statuses,
  }
}

function post(port: number, { method, headers, body }: TestDelivery, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sending = request({ host: '127.0.0.1', port, method, headers, agent }, (response) => {
      response.resume().once('end', () => resolve(Number(response.statusCode)))
    })
    sending.once('error', reject).end(body)
  })
}
