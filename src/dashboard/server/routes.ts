import { Hono } from 'hono'
import { badRequest, Refusal, toResponse } from './problem.ts'

/** A call of the page. */
interface Call {
  readonly request: Request
  readonly params: Readonly<Record<string, string | undefined>>
  /** The body as JSON. */
  readonly readJson: () => Promise<unknown>
}

/** One call that is answered. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below the place of the dashboard, with parameters as `:id`. */
  readonly path: string
  readonly answer: (call: Call) => Promise<Response> | Response
}

/** What a request is answered with, by the path below the place of the dashboard. */
export interface Router {
  answer(request: Request, path: string): Promise<Response>
}

/** An edited resource has at most some hundred kilobytes. */
const MAX_BODY_BYTES = 2 * 1024 * 1024

/** @param otherwise what any other path is answered with, if it is no call. */
export function createRouter(
  routes: readonly Route[],
  otherwise: (request: Request, path: string) => Response,
): Router {
  const app = new Hono<{ Bindings: { path: string } }>({ getPath: (_, options) => String(options?.env?.path) })
  for (const { method, path, answer } of routes) {
    app.on(method, path, (c) =>
      answer({
        request: c.req.raw,
        params: c.req.param() as Record<string, string>,
        readJson: () => readJson(c.req.raw),
      }),
    )
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes.filter((route) => route.path === path).map(({ method }) => method)
    app.all(path, () => {
      throw new Refusal(405, `This call is ${methods.join(' or ')}.`, { allow: methods.join(', ') })
    })
  }
  app.all('/api/*', () => {
    throw new Refusal(404, 'There is no such call.')
  })
  app.notFound((c) => otherwise(c.req.raw, c.env.path))
  app.onError((error) => {
    if (error instanceof Refusal) return toResponse(error)
    throw error
  })
  return { answer: async (request, path) => app.fetch(request, { path }) }
}

async function readJson({ body }: Request): Promise<unknown> {
  const text = body ? await readText(body) : ''
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest('The body is not JSON.')
  }
}

/** Hono's own limit makes a new `Request`, which it cannot from one of Node's server. */
async function readText(body: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for await (const chunk of body) {
    length += chunk.byteLength
    if (length > MAX_BODY_BYTES) throw new Refusal(413, `A body may have up to ${MAX_BODY_BYTES} bytes.`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
