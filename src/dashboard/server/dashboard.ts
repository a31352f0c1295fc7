import type { IncomingMessage, ServerResponse } from 'node:http'
import { createSampling } from '../../core/sampling.ts'
import { addSecurityHeaders, checkAccess, checkCall, createToken } from './access.ts'
import { listAnswerRoutes } from './answers.ts'
import type { Context } from './context.ts'
import { listDeliveryRoutes } from './deliveries.ts'
import { listHealthRoutes } from './health.ts'
import { listHolderRoutes } from './holders.ts'
import { listInboxRoutes } from './inbox.ts'
import { createJobs } from './jobs.ts'
import { createLive } from './live.ts'
import { createMask } from './mask.ts'
import { findPlace } from './mount.ts'
import { createNodeListener } from './node-listener.ts'
import { checkDashboardOptions, type DashboardOptions } from './options.ts'
import { PAGE_FILES, renderPage, renderRefusal } from './page.ts'
import { createAsk, notFound, Refusal, toResponse } from './problem.ts'
import { createRouter, type Route } from './routes.ts'
import { describeSetup } from './setup.ts'
import { listTriggerRoutes } from './trigger.ts'
import { listWebhookRoutes } from './webhooks.ts'

/** A dashboard, made by {@link createDashboard}. */
export interface Dashboard {
  /** A Fetch handler: for Next, Hono, Bun and every other host with `Request` and `Response`. Never rejects. */
  readonly fetch: (request: Request) => Promise<Response>
  /** A listener of Node: for Express, Koa, Fastify and `createServer`. It answers every request. */
  readonly listener: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /**
   * Ends what is live, and undoes discards that have not begun. The recorder, the inbox and the other sources stay
   * open: close them afterwards.
   */
  close(): void
}

/**
 * Creates a dashboard: a page that shows deliveries, the inbox, webhooks and health, with the calls that it makes. It
 * has no server of its own: mount `listener` or `fetch` in yours.
 *
 * Personal data is masked unless `redact` is `false`. `authorize` decides for each request who may see it. It is also
 * what protects the changes that the page can make: retry, discard, redeliver and reset.
 *
 * @throws TypeError for an option that is missing, unknown or wrong.
 * @example
 * const dashboard = createDashboard({ recorder, inbox, authorize: (request) => isAdmin(request) })
 * app.use('/hooklayer', dashboard.listener)
 * @see docs/dashboard.md
 */
export function createDashboard(options: DashboardOptions): Dashboard {
  const settings = checkDashboardOptions(options)
  const { recorder, inbox, emulator, authorize, logger, path: mount, redact } = settings
  const token = createToken(settings.key)
  const ask = createAsk(logger)
  const mask = createMask(redact)
  const live = createLive({ recorder, inbox, emulator, ask, mask })
  const jobs = createJobs({
    deadLetters: inbox?.deadLetters,
    ask,
    onChange: (job) => live.publish({ type: 'job', job }),
  })
  const failures = createSampling()
  /** Strangers can cause any number. */
  const onFailure = (message: string) => {
    if (failures.count('') > 0) logger.error(message)
  }
  const router = createRouter(listRoutes({ settings, ask, mask, jobs, live }), refusePath)

  async function answer(request: Request, incoming?: IncomingMessage): Promise<Response> {
    try {
      const { base, path } = findPlace(request.url, incoming, mount)
      const refused = await checkAccess(request, incoming, { authorize, onFailure })
      if (refused) return addSecurityHeaders(refused)
      if (!path.startsWith('/api/') && !path.startsWith('/assets/'))
        return addSecurityHeaders(answerPage(request, base, token))
      if (path.startsWith('/api/')) checkCall(request, token)
      return addSecurityHeaders(await router.answer(request, path))
    } catch (error) {
      return addSecurityHeaders(answerRefusal(request, toRefusal(error)))
    }
  }

  function toRefusal(error: unknown): Refusal {
    if (error instanceof Refusal) return error
    logger.error('The dashboard failed.', { cause: error })
    return new Refusal(500, 'The dashboard failed. The log of the server says why.')
  }

  return {
    fetch: (request) => answer(request),
    listener: createNodeListener(answer),
    close() {
      jobs.close()
      live.close()
    },
  }
}

function listRoutes(context: Context): readonly Route[] {
  const { settings, live } = context
  return [
    ...PAGE_FILES.map(answerFile),
    { method: 'GET', path: '/api/setup', answer: () => Response.json(describeSetup(settings)) },
    { method: 'GET', path: '/api/live', answer: ({ request }) => live.open(request.method) },
    ...listDeliveryRoutes(context),
    ...listInboxRoutes(context),
    ...listWebhookRoutes(context),
    ...listHolderRoutes(context),
    ...listAnswerRoutes(context),
    ...listTriggerRoutes(context),
    ...listHealthRoutes(context),
  ]
}

function answerFile({ path, type, text }: (typeof PAGE_FILES)[number]): Route {
  const headers = { 'content-type': type, 'cache-control': 'private, max-age=31536000, immutable' }
  return { method: 'GET', path, answer: () => new Response(text, { headers }) }
}

/** Somebody who opens an address gets a page, and a call gets JSON. */
function answerRefusal({ headers }: Request, refusal: Refusal): Response {
  if (!headers.get('accept')?.includes('text/html')) return toResponse(refusal)
  const { status, message } = refusal
  return new Response(renderRefusal(message), {
    status,
    headers: { ...refusal.headers, 'content-type': 'text/html; charset=utf-8' },
  })
}

/** The page has links of its own, so every other path is the page. */
function answerPage({ method }: Request, base: string, token: string): Response {
  if (method !== 'GET' && method !== 'HEAD') throw new Refusal(405, 'The page is GET.', { allow: 'GET, HEAD' })
  return new Response(renderPage(base, token), { headers: { 'content-type': 'text/html; charset=utf-8' } })
}

function refusePath(): never {
  throw notFound('file')
}
