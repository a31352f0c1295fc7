import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { type ClientHttp2Session, connect } from 'node:http2'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SignedRequest } from '../deliveries.ts'
import type { Shop } from './shop.ts'

export interface Answer {
  readonly status: number
  readonly ms: number
}

/** Sends genuine deliveries one after another, at an even pace, and gives their answers. */
export async function deliverEvenly(shop: Shop, delivery: SignedRequest, count: number, pauseMs: number) {
  const deliver = createDeliverer(shop)
  const answers: Promise<Answer>[] = []
  for (let i = 0; i < count; i += 1) {
    answers.push(deliver.send(delivery))
    await sleep(pauseMs)
  }
  const ended = await Promise.all(answers)
  deliver.end()
  return ended
}

/** Each delivery has a connection of its own over HTTP/1.1, and shares one with some others over HTTP/2. */
export function createDeliverer({ url, isHttp2 }: Shop) {
  const sessions = createSessions(url)
  const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY })
  const sendOne = isHttp2 ? overHttp2(sessions.next, url) : overHttp1(agent, url)
  return {
    async send(delivery: SignedRequest): Promise<Answer> {
      const start = performance.now()
      const status = await sendOne(delivery)
      return { status, ms: performance.now() - start }
    },
    end() {
      sessions.close()
      agent.destroy()
    },
  }
}

/** Node's servers take 10 MB of a session at once. */
const DELIVERIES_PER_SESSION = 50

function createSessions(url: string) {
  const sessions: ClientHttp2Session[] = []
  let used = 0
  return {
    next(): ClientHttp2Session {
      const last = sessions.at(-1)
      if (last && used < DELIVERIES_PER_SESSION) {
        used += 1
        return last
      }
      used = 1
      const session = connect(url)
      sessions.push(session)
      return session
    },
    close() {
      for (const session of sessions) session.close()
    },
  }
}

type SendOne = (delivery: SignedRequest) => Promise<number>

function overHttp1(agent: Agent, url: string): SendOne {
  return ({ method, headers, body }) =>
    new Promise((resolve, reject) => {
      const sent = request(url, { method, agent, headers: { ...headers, 'content-length': body.length } }, (answer) => {
        buffer(answer).then(() => resolve(Number(answer.statusCode)), reject)
      })
      sent.once('error', reject)
      sent.end(body)
    })
}

function overHttp2(nextSession: () => ClientHttp2Session, url: string): SendOne {
  return async ({ method, headers, body }) => {
    const stream = nextSession().request({ ':method': method, ':path': new URL(url).pathname, ...headers })
    stream.end(body)
    const [answer] = await once(stream, 'response')
    await buffer(stream)
    return Number(answer[':status'])
  }
}

/** The value below which this share of the answers took. */
export function percentile(answers: readonly Answer[], share: number): number {
  const sorted = answers.map(({ ms }) => ms).sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
