import { createHash } from 'node:crypto'
import supertest from 'supertest'
import { expect } from 'vitest'
import { waitFor } from '../../wait-for.ts'
import type { Sent } from './deliveries.ts'
import { createScenarioReceiver, type Observed, type Scenario } from './receiver-under-test.ts'

/** Where requests are sent, and the headers that each of them needs. */
export interface Target {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * A receiver behind the host under test. A reference receiver with the same options is called directly, in this
 * process, to compare the answers.
 */
export interface RemoteReceiver extends Target {
  observed(): Promise<Observed>
  /** Lets the handlers finish that wait to be released. */
  release(): Promise<void>
  /** Closes the receiver. */
  close(): Promise<void>
  /**
   * Sends a request over HTTP and to the reference receiver: expects the same answer, byte for byte, and the same
   * effects.
   */
  expectSameAnswer(sent: Sent, method?: Method): Promise<supertest.Response>
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

const reference = createScenarioReceiver()
let count = 0

/** Starts a receiver for a scenario, on a host that serves `createScenarioReceiver()`. */
export async function openRemote(url: string, scenario: Scenario = {}): Promise<RemoteReceiver> {
  count += 1
  const headers = { 'x-scenario-id': `scenario-${count}` }
  const target = { url, headers }
  async function command(name: string, more: Record<string, string> = {}) {
    const fields = { ...headers, 'x-scenario-command': name, ...more }
    const answer = await send({ url }, { headers: fields, body: new Uint8Array() })
    expect(answer.status, `the host's answer to "${name}": ${answer.text}`).toBe(200)
    const { body } = await reference.receive({ method: 'POST', headers: fields, body: '' })
    return { observed: answer.body, expected: JSON.parse(body) }
  }
  await command('open', { 'x-scenario-options': toAscii(JSON.stringify(scenario)) })
  return {
    ...target,
    observed: async () => (await command('observed')).observed,
    release: async () => void (await command('release')),
    close: async () => void (await command('close')),
    async expectSameAnswer({ headers: fields, body }, method = 'post') {
      const request = { method: method.toUpperCase(), headers: { ...fields, ...headers }, body }
      const direct = await reference.receive(request)
      const answer = await send(target, { headers: fields, body }, method)
      expect({ status: answer.status, body: answer.text }).toEqual({ status: direct.status, body: direct.body })
      expect(answer.headers).toMatchObject(direct.headers)
      expectLength(answer)
      // A mismatch is reported after its answer.
      await waitFor(async () => {
        const { observed, expected } = await command('observed')
        expect(observed).toEqual(expected)
      })
      return answer
    },
  }
}

/** For a header. JSON has such escapes inside of its strings. */
function toAscii(json: string): string {
  return json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Expects the body to be as long as announced: no character cut off, and none waited for. */
export function expectLength({ headers, text }: supertest.Response): void {
  if (headers['transfer-encoding'] === 'chunked') expect(headers).not.toHaveProperty('content-length')
  else expect(headers['content-length']).toBe(String(Buffer.byteLength(text)))
}

/** Sends a request over HTTP without changing its bytes. */
export async function send(
  { url, headers: own }: Target,
  { headers, body }: Sent,
  method: Method = 'post',
): Promise<supertest.Response> {
  const request = supertest(url)
    [method]('')
    .set({ ...own, ...headers })
  if (method === 'get') return request
  // superagent would write a Buffer as JSON; its type forgets that bytes may be sent.
  return request.serialize((bytes) => bytes as string).send(Buffer.from(body))
}

/** The SHA-256 of a body, in hex. */
export function digestOf(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex')
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
