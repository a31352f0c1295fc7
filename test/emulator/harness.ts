import { createEmulator, type Emulator, type EmulatorOptions } from 'hooklayer/emulator'
import { onTestFinished } from 'vitest'
import type { ResourceDocument, ResourceObject } from '../../src/wire/document.ts'
import { listen } from '../contracts/adapter/listen.ts'

export const JSON_API = 'application/vnd.api+json'

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

interface Body extends Omit<ResourceDocument, 'data'> {
  readonly data: ResourceObject & ResourceObject[]
  readonly errors: {
    code: string
    title: string
    detail: string
    status: string
    source?: { pointer: string }
    meta?: { error: string }
  }[]
}

export interface RequestOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Text, or a value that is written as JSON. */
  readonly body?: unknown
}

export interface EmulatorHarness {
  readonly emulator: Emulator
  readonly token: string
  ask(path: string, options?: RequestOptions): Promise<Answer>
  /** Creates a webhook, and returns the resource of the answer. */
  subscribe(attributes: Readonly<Record<string, unknown>>): Promise<ResourceObject>
}

/** Starts an emulator and gets a token for it. The caller closes the emulator. */
export async function startEmulator(options?: EmulatorOptions): Promise<EmulatorHarness> {
  const emulator = await createEmulator(options)
  const { access_token: token } = (await askForToken(emulator)).body

  async function ask(path: string, { method = 'GET', headers, body }: RequestOptions = {}): Promise<Answer> {
    const response = await fetch(`${emulator.url}/api/${path}`, {
      method,
      headers: { accept: JSON_API, 'content-type': JSON_API, authorization: `Bearer ${token}`, ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
  }

  return {
    emulator,
    token,
    ask,
    async subscribe(attributes) {
      const { body } = await ask('webhooks', { method: 'POST', body: { data: { type: 'webhooks', attributes } } })
      return body.data
    },
  }
}

/** Starts an emulator that is closed at the end of the current test. */
export async function startEmulatorForTest(options?: EmulatorOptions): Promise<EmulatorHarness> {
  const harness = await startEmulator(options)
  onTestFinished(() => harness.emulator.close())
  return harness
}

export interface TokenAnswer {
  readonly status: number
  readonly body: {
    readonly access_token: string
    readonly created_at: number
    readonly error?: string
    readonly [member: string]: unknown
  }
}

export async function askForToken(
  { url, clientId, clientSecret }: Emulator,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<TokenAnswer> {
  const body = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, ...changes }
  const headers = { 'content-type': 'application/json' }
  return readToken(await fetch(`${url}/oauth/token`, { method: 'POST', headers, body: JSON.stringify(body) }))
}

export async function readToken(response: Response): Promise<TokenAnswer> {
  return { status: response.status, body: (await response.json()) as TokenAnswer['body'] }
}

/** Starts an endpoint that answers with the status in its path, e.g. `/404`. */
export async function startEndpoint(): Promise<{ url: string; close(): Promise<void> }> {
  return listen((request, response) => {
    request.resume()
    response.writeHead(Number(request.url?.slice(1))).end()
  }, '')
}

/** The URL of an endpoint that refuses connections. */
export const GONE = 'http://127.0.0.1:1/gone'
