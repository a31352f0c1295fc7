import { once } from 'node:events'
import { Agent, request as openRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRequest } from 'hooklayer/testing'

interface TimedAnswer {
  readonly ms: number
  readonly answer: unknown
}

/** Asks a responder for taxes, and takes the time until the whole answer is there. */
export class TaxClient {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #port: number

  constructor(port: number) {
    this.#port = port
  }

  /** Asks at each of the paths, with a pause after each request. Resolves when all are answered, in their order. */
  async ask(paths: readonly string[], pauseMs: number): Promise<TimedAnswer[]> {
    const { headers, body } = await createRequest('tax')
    const asking: Promise<TimedAnswer>[] = []
    for (const path of paths) {
      asking.push(this.#askOnce(path, headers, body))
      await sleep(pauseMs)
    }
    return Promise.all(asking)
  }

  async #askOnce(path: string, headers: Record<string, string>, body: Uint8Array): Promise<TimedAnswer> {
    const startedAt = performance.now()
    const options = { port: this.#port, host: '127.0.0.1', path, method: 'POST', headers, agent: this.#agent }
    const [response] = await once(openRequest(options).end(body), 'response')
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += chunk
    return { ms: performance.now() - startedAt, answer: JSON.parse(text) }
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** The fastest and the slowest of some answers. Prints them, and how many came between 3.9 and 4.1 s. */
export function findExtremes(name: string, answers: readonly TimedAnswer[]): { fastest: number; slowest: number } {
  const times = answers.map(({ ms }) => ms)
  const [fastest, slowest] = [Math.min(...times), Math.max(...times)]
  const within = times.filter((ms) => ms >= 3900 && ms <= 4100).length
  const range = `from ${fastest.toFixed(0)} to ${slowest.toFixed(0)} ms`
  console.log(`${name}: ${within} of ${times.length} within 3.9 and 4.1 s, ${range}`)
  return { fastest, slowest }
}
