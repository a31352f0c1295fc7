import { createDashboard, type Dashboard, type DashboardOptions } from 'hooklayer/dashboard'
import { onTestFinished } from 'vitest'
import { listen } from '../contracts/adapter/listen.ts'
import { recordingLogger } from '../deliveries.ts'

interface Answer<T> {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: T
}

export interface Page {
  readonly url: string
  readonly dashboard: Dashboard
  readonly token: string
  /** What the dashboard has logged, as JSON. */
  readonly logged: () => string
  get<T = Record<string, unknown>>(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer<T>>
  /** As the page does it: with its token, from its origin. */
  post<T = Record<string, unknown>>(
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer<T>>
  delete<T = Record<string, unknown>>(path: string): Promise<Answer<T>>
}

/** A dashboard on a server of `node:http`, for everybody unless the options say otherwise. It ends with the test. */
export async function startDashboard(
  options: Omit<DashboardOptions, 'authorize'> & Partial<DashboardOptions>,
): Promise<Page> {
  const { logger, lines } = recordingLogger()
  const dashboard = createDashboard({ authorize: () => true, logger, ...options })
  const { url, close } = await listen(dashboard.listener)
  onTestFinished(async () => {
    dashboard.close()
    await close()
  })
  const page = await (await fetch(url, { redirect: 'manual' })).text()
  const token = readToken(page)
  const origin = url.slice(0, -1)
  const call =
    (method: string) =>
    (path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
      ask(url + path, {
        method,
        headers: { origin, 'x-hooklayer-token': token, ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
  return {
    url,
    dashboard,
    token,
    logged: () => JSON.stringify(lines),
    get: (path, headers = {}) => ask(url + path, { headers }),
    post: call('POST') as Page['post'],
    delete: call('DELETE') as Page['delete'],
  }
}

export function readToken(page: string): string {
  return /<meta name="hooklayer-token" content="([^"]+)">/.exec(page)?.[1] ?? ''
}

async function ask<T>(url: string, init: RequestInit): Promise<Answer<T>> {
  const response = await fetch(url, { redirect: 'manual', ...init })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json')
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
}
