import { createHash } from 'node:crypto'
import supertest from 'supertest'
import { expect } from 'vitest'
import type { Sent } from './deliveries.ts'
import { createStage, type Play, type Seen } from './receiver-under-test.ts'

/** Where requests go, and the headers that they need to get there. */
export interface Target {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A receiver behind the host under test, and its twin in this process, which is behind nothing. */
export interface Scene extends Target {
  seen(): Promise<Seen>
  /** Lets the handlers end that wait for it. */
  release(): Promise<void>
  /** Shuts the receiver down. */
  close(): Promise<void>
  /** Sends a request over HTTP and hands it to the twin, and expects the same answer, byte for byte, and the same effects. */
  expectSameAnswer(sent: Sent, method?: Method): Promise<supertest.Response>
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

const twins = createStage()
let count = 0

/** Opens a scene on a host that has a stage. */
export async function openScene(url: string, play: Play = {}): Promise<Scene> {
  count += 1
  const headers = { 'x-stage-scene': `scene-${count}` }
  const target = { url, headers }
  async function command(name: string, more: Record<string, string> = {}) {
    const fields = { ...headers, 'x-stage-command': name, ...more }
    const answer = await send({ url }, { headers: fields, body: new Uint8Array() })
    expect(answer.status, `the host's answer to "${name}": ${answer.text}`).toBe(200)
    const { body } = await twins.receive({ method: 'POST', headers: fields, body: '' })
    return { here: answer.body, twin: JSON.parse(body) }
  }
  await command('open', { 'x-stage-play': JSON.stringify(play) })
  return {
    ...target,
    seen: async () => (await command('seen')).here,
    release: async () => void (await command('release')),
    close: async () => void (await command('close')),
    async expectSameAnswer({ headers: fields, body }, method = 'post') {
      const request = { method: method.toUpperCase(), headers: { ...fields, ...headers }, body }
      const direct = await twins.receive(request)
      const answer = await send(target, { headers: fields, body }, method)
      expect({ status: answer.status, body: answer.text }).toEqual({ status: direct.status, body: direct.body })
      expect(answer.headers).toMatchObject(direct.headers)
      expectLength(answer)
      const { here, twin } = await command('seen')
      expect(here).toEqual(twin)
      return answer
    },
  }
}

/** That what was announced is what came: no character cut off, and none waited for. */
export function expectLength({ headers, text }: supertest.Response): void {
  if (headers['transfer-encoding'] === 'chunked') expect(headers).not.toHaveProperty('content-length')
  else expect(headers['content-length']).toBe(String(Buffer.byteLength(text)))
}

/** Sends a request over HTTP, its bytes as they are. */
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

/** What tells a body from any other. */
export function digestOf(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex')
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
