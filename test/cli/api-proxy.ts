import { setTimeout as pause } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import type { Emulator } from 'hooklayer/emulator'
import { onTestFinished } from 'vitest'
import { listen } from '../contracts/adapter/listen.ts'

interface ApiRequest {
  /** Of `performance.now()`. */
  readonly at: number
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly status: number
}

interface ApiProxy {
  readonly url: string
  /** The requests that were answered. */
  readonly requests: readonly ApiRequest[]
}

/** The API of an emulator as from far away, with a record of the requests. */
export async function startApiProxy(emulator: Emulator, delayMs = 0): Promise<ApiProxy> {
  const requests: ApiRequest[] = []
  const app = new Hono().all('*', async ({ req: { raw } }) => {
    const { method, headers } = raw
    const at = performance.now()
    await pause(delayMs / 2)
    const { pathname, search } = new URL(raw.url)
    const body = method === 'GET' ? null : await raw.arrayBuffer()
    const answer = await fetch(`${emulator.url}${pathname}${search}`, { method, headers, body })
    await pause(delayMs / 2)
    requests.push({ at, method, path: pathname, status: answer.status })
    const limits = [...answer.headers].filter(([name]) => /^x-ratelimit|^content-type$|^retry-after$/.test(name))
    return new Response(answer.status === 204 ? null : await answer.text(), {
      status: answer.status,
      headers: Object.fromEntries(limits),
    })
  })
  const { url, close } = await listen(getRequestListener(app.fetch))
  onTestFinished(close)
  return { url: url.replace(/\/$/, ''), requests }
}

/** The environment of a command that uses the API of an emulator. */
export function toEnv({ url, organization, clientId, clientSecret }: Emulator): Record<string, string> {
  return { CL_API_URL: url, CL_ORGANIZATION: organization, CL_CLIENT_ID: clientId, CL_CLIENT_SECRET: clientSecret }
}
