import { FAILURES_TO_OPEN } from '../../commerce-layer/limits.ts'
import type { EmulatedWebhook, Emulator } from '../../emulator/index.ts'
import type { CallItem, CallPage, PlanSummary, WebhookItem, Webhooks } from '../api.ts'
import { API_TIMEOUT_MS, createCachedRead } from './cached-read.ts'
import type { Context } from './context.ts'
import { notFound } from './problem.ts'
import type { Route } from './routes.ts'
import { defined } from './write-delivery.ts'

/** The state of many webhooks is many requests, and the API may hold each back for a minute. */
const MANY_CALLS_MS = 60_000
const MAX_CALLS = 50
const HOUR_MS = 3_600_000

export function listWebhookRoutes(context: Context): readonly Route[] {
  const { settings, ask, mask } = context
  const { management, emulator, receiver, callbackUrl } = settings
  const source = management ? createApiSource(context) : emulator && createEmulatorSource(emulator)
  if (!source) return []
  const toShown = (item: WebhookItem): WebhookItem => ({ ...item, callbackUrl: mask.url(item.callbackUrl) })
  const routes: Route[] = [
    {
      method: 'GET',
      path: '/api/webhooks',
      answer: async () => Response.json({ items: (await source.list()).map(toShown) } satisfies Webhooks),
    },
    {
      method: 'GET',
      path: '/api/webhooks/:id/calls',
      async answer({ params }) {
        const items = await source.listCalls(checkId(params.id))
        const shown = items.map(({ reason, ...item }) => ({ ...item, ...(reason && { reason: mask.text(reason) }) }))
        return Response.json({ items: shown } satisfies CallPage)
      },
    },
    {
      method: 'POST',
      path: '/api/webhooks/:id/reset',
      answer: async ({ params }) =>
        Response.json(toShown(await source.reset(checkId(params.id))) satisfies WebhookItem),
    },
  ]
  if (!management || !receiver || callbackUrl === undefined) return routes
  const plan = createCachedRead(() =>
    ask('management', () => management.plan(receiver, { callbackUrl, signal: AbortSignal.timeout(MANY_CALLS_MS) })),
  )
  const planRoute: Route = {
    method: 'GET',
    path: '/api/plan',
    async answer() {
      const { steps, notes } = await plan.get()
      return Response.json({
        callbackUrl: mask.url(callbackUrl),
        steps: steps.flatMap(describeStep),
        notes,
      } satisfies PlanSummary)
    },
  }
  return [...routes, planRoute]
}

/** An id is a part of the path at the API. */
function checkId(id = ''): string {
  if (!/^[\w-]{1,100}$/.test(id)) throw notFound('webhook')
  return id
}

interface WebhookSource {
  list(): Promise<readonly WebhookItem[]>
  /** The newest first. */
  listCalls(id: string): Promise<readonly CallItem[]>
  /** Closes the circuit. */
  reset(id: string): Promise<WebhookItem>
}

function createApiSource({ settings, ask }: Context): WebhookSource {
  const { management } = settings
  const webhooks = createCachedRead(() => ask('management', readAll))

  async function readAll(): Promise<readonly WebhookItem[]> {
    const all = (await management?.health({ signal: AbortSignal.timeout(MANY_CALLS_MS) })) ?? []
    return all.map(({ failedLastHour, ...webhook }) => ({ ...webhook, lastHour: failedLastHour }))
  }

  return {
    list: webhooks.get,
    listCalls: (id) =>
      ask('management', async () => {
        const calls: CallItem[] = []
        const query = { webhookId: id, sort: '-created_at', signal: AbortSignal.timeout(API_TIMEOUT_MS) } as const
        for await (const call of management?.eventCallbacks.list(query) ?? []) {
          const { created_at, response_code, response_message, webhook } = call
          calls.push(toCall({ id: call.id, created_at, response_code, response_message, topic: webhook?.topic }))
          if (calls.length === MAX_CALLS) break
        }
        return calls
      }),
    async reset(id) {
      await ask('management', () =>
        management?.webhooks.resetCircuit(id, { signal: AbortSignal.timeout(API_TIMEOUT_MS) }),
      )
      webhooks.invalidate()
      return findWebhook(await webhooks.get(), id)
    },
  }
}

function createEmulatorSource(emulator: Emulator): WebhookSource {
  function readAll(): WebhookItem[] {
    const since = new Date(Date.now() - HOUR_MS).toISOString()
    const calls = emulator.eventCallbacks.filter(({ created_at }) => created_at >= since)
    return emulator.webhooks.map((webhook) => {
      const ended = calls.filter((call) => call.webhook.id === webhook.id && call.response_message !== null)
      const failed = ended.filter(({ response_code }) => !response_code?.startsWith('2')).length
      return toWebhook(webhook, { calls: ended.length, share: ended.length > 0 ? failed / ended.length : 0 })
    })
  }

  return {
    list: async () => readAll(),
    async listCalls(id) {
      const calls = emulator.eventCallbacks.filter(({ webhook }) => webhook.id === id)
      return calls
        .slice(-MAX_CALLS)
        .reverse()
        .map((call) => toCall({ ...call, topic: call.webhook.topic }))
    },
    async reset(id) {
      findWebhook(readAll(), id)
      emulator.resetCircuit(id)
      return findWebhook(readAll(), id)
    },
  }
}

function findWebhook(items: readonly WebhookItem[], id: string): WebhookItem {
  const found = items.find((item) => item.id === id)
  if (!found) throw notFound('webhook')
  return found
}

function toWebhook(webhook: EmulatedWebhook, lastHour: WebhookItem['lastHour']): WebhookItem {
  const { id, topic, callback_url, circuit_state, circuit_failure_count, disabled_at } = webhook
  return {
    id,
    topic,
    callbackUrl: callback_url,
    circuit: circuit_state,
    failures: circuit_failure_count,
    failuresLeft: circuit_state === 'open' ? 0 : Math.max(0, FAILURES_TO_OPEN - circuit_failure_count),
    disabled: disabled_at !== null,
    lastHour,
  }
}

interface RecordedCall {
  readonly id: string
  readonly created_at: string
  readonly response_code?: string | null | undefined
  readonly response_message?: string | null | undefined
  readonly topic: string | undefined
}

function toCall({ id, created_at, response_code, response_message, topic }: RecordedCall): CallItem {
  const status = response_code == null ? undefined : Number(response_code)
  return { id, createdAt: created_at, ...defined({ status, reason: response_message ?? undefined, topic }) }
}

type Step = Awaited<ReturnType<NonNullable<Context['settings']['management']>['plan']>>['steps'][number]

function describeStep(step: Step): PlanSummary['steps'] {
  if (step.action === 'keep') return []
  const includes = 'includeResources' in step ? ` It includes ${step.includeResources.join(', ') || 'nothing'}.` : ''
  return [{ action: step.action, text: `${step.topic}: ${step.reason}${includes}` }]
}
