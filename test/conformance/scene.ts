import { createReceiver, type ErrorCode, isWebhookError, type Receiver, type ReceiverOptions } from 'hooklayer'
import supertest from 'supertest'
import { afterAll, expect } from 'vitest'
import { SECRETS, type Sent } from './deliveries.ts'

/** What an adapter is made for. */
export type Receiving = Pick<Receiver, 'receive'>

/** A server that listens. */
export interface Listening {
  /** Where the receiver is mounted. */
  readonly url: string
  /** Closes the server and every connection it has. */
  close(): Promise<void>
}

/** Starts the adapter's framework on a free port, with the receiver in it. */
export type Start = (receiver: Receiving) => Promise<Listening>

/** A receiver behind a real server. */
export interface Scene {
  readonly receiver: Receiver
  readonly url: string
  /** The codes that `onError` was told, in their order. */
  readonly errors: (ErrorCode | 'permanent')[]
}

export interface Stage {
  /** @param startThis instead of the stage's own `start`, for a case that is set up in another way. */
  serve(options?: Partial<ReceiverOptions>, startThis?: Start): Promise<Scene>
  /** For a receiver that is not made here. */
  listen(receiver: Receiving): Promise<string>
}

const silent = () => {}

/** Everything a block of tests starts is closed when the block has ended. */
export function createStage(start: Start): Stage {
  const listening: Listening[] = []
  afterAll(async () => {
    await Promise.all(listening.map((one) => one.close()))
  })
  async function listen(receiver: Receiving, startThis = start): Promise<string> {
    const one = await startThis(receiver)
    listening.push(one)
    return one.url
  }
  return {
    listen: (receiver) => listen(receiver),
    async serve(options, startThis) {
      const logger = { debug: silent, info: silent, warn: silent, error: silent }
      const receiver = createReceiver({ secrets: SECRETS, logger, ...options })
      const errors: Scene['errors'] = []
      receiver.onError((error) => errors.push(isWebhookError(error) ? error.code : 'permanent'))
      return { receiver, url: await listen(receiver, startThis), errors }
    },
  }
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** Sends a request over HTTP, its bytes as they are. */
export async function send(url: string, { headers, body }: Sent, method: Method = 'post'): Promise<supertest.Response> {
  const request = supertest(url)
    [method]('')
    .set({ ...headers })
  if (method === 'get') return request
  // superagent would write a Buffer as JSON; its type forgets that bytes may be sent.
  return request.serialize((bytes) => bytes as string).send(body)
}

/** Sends a request over HTTP and hands it to the receiver itself, and expects the same answer, byte for byte. */
export async function expectSameAnswer(
  { receiver, url }: Pick<Scene, 'receiver' | 'url'>,
  sent: Sent,
  method: Method = 'post',
): Promise<supertest.Response> {
  const direct = await receiver.receive({ method: method.toUpperCase(), headers: sent.headers, body: sent.body })
  const answer = await send(url, sent, method)
  expect({ status: answer.status, body: answer.text }).toEqual({ status: direct.status, body: direct.body })
  expect(answer.headers).toMatchObject(direct.headers)
  expect(answer.headers['content-type']).toMatch(/^application\/json(;|$)/)
  expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(direct.body)))
  return answer
}

/** A gate that a test opens: `await gate.opened` holds a handler back until `gate.open()`. */
export function createHold(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
