import type { CredentialsOptions } from 'hooklayer/management'
import { CliError } from '../cli-error.ts'
import { explainFailure } from '../explain-failure.ts'

/** The first call to a webhook, as the emulator answers it. */
interface TriggeredCall {
  readonly topic: string
  readonly url: string
  /** 0 if no answer came. */
  readonly status: number
  readonly answer: string
  readonly durationMs: number
}

interface EventCallback {
  readonly topic: string
  readonly callback_url: string
  readonly response_code: string | null
  readonly response_message: string | null
  readonly created_at: string
  readonly updated_at: string
}

interface Answer {
  readonly access_token?: string
  readonly error?: string
  readonly event_callbacks?: readonly EventCallback[]
  readonly errors?: unknown
}

/** Gives a function that has an emulator trigger an event. It resolves with the first call to each webhook. */
export async function connectToEmulator(
  { url, clientId, clientSecret }: CredentialsOptions & { readonly url: string },
  signal: AbortSignal,
): Promise<(topic: string, resource: object) => Promise<TriggeredCall[]>> {
  const post = async (path: string, body: object, token?: string): Promise<Answer> => {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
    const init = { method: 'POST', headers, body: JSON.stringify(body), signal }
    const response = await fetch(new URL(path, url), init).catch((error) => {
      signal.throwIfAborted()
      throw explainUnreachable(error, url)
    })
    const answer = (await response.json().catch(() => ({}))) as Answer
    if (response.ok) return answer
    if (response.status === 401) throw new CliError('REFUSED', `The emulator at ${url} refuses the credentials.`)
    if (response.status === 400) throw new CliError('USAGE', `The emulator refuses it: ${readDetail(answer)}`)
    throw new CliError('CONFIGURATION', `CL_API_URL: there is no emulator at ${url}. Name a receiver with --to.`)
  }
  const credentials = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }
  const { access_token } = await post('/oauth/token', credentials)
  return async (topic, resource) => {
    const { event_callbacks = [] } = await post('/emulator/trigger', { topic, resource }, access_token)
    return event_callbacks.map(toCall)
  }
}

/** Often the emulator has ended, and `.env` still has the variables that it wrote. */
function explainUnreachable(error: unknown, url: string): unknown {
  if (explainFailure(error).exit !== 'UNREACHABLE') return error
  const message = `CL_API_URL: no emulator answers at ${url}. Start \`hooklayer dev\`, or name a receiver with --to.`
  return new CliError('UNREACHABLE', message, { cause: error })
}

function toCall(callback: EventCallback): TriggeredCall {
  const { topic, callback_url, response_code, response_message, created_at, updated_at } = callback
  return {
    topic,
    url: callback_url,
    status: Number(response_code ?? 0),
    answer: response_message ?? '',
    durationMs: Date.parse(updated_at) - Date.parse(created_at),
  }
}

function readDetail(answer: Answer): string {
  const [{ detail } = { detail: undefined }] = [answer.errors ?? []].flat() as { readonly detail?: unknown }[]
  return typeof detail === 'string' ? detail : 'it does not say why.'
}
