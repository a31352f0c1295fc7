import * as z from 'zod'
import type { DeadLetterChoice, InboxFilter, InboxItem, InboxPage, InboxState, Job } from '../api.ts'
import type { Context } from './context.ts'
import { badRequest, notFound } from './problem.ts'
import { limit, listOf, readInput, text, toRecord } from './read-query.ts'
import type { Route } from './routes.ts'
import { toCounts, toDeadLetter, toInboxItem } from './write-inbox.ts'

const STATES = ['queued', 'running', 'failed', 'unhandled', 'dead'] as const satisfies readonly InboxState[]

const FILTER = z.strictObject({
  state: listOf(STATES).optional(),
  topic: text.optional(),
  code: text.optional(),
  search: text.optional(),
  after: text.optional(),
  limit,
} satisfies Record<keyof InboxFilter, z.ZodType>)

/** How many dead letters one job may have. Their ids are kept in memory. */
const MAX_CHOSEN = 100_000

const CHOICE = z.union([
  z.strictObject({ ids: z.array(text).min(1).max(MAX_CHOSEN) }),
  z.strictObject({
    filter: z
      .strictObject({ topic: text.optional(), code: text.optional() })
      .refine((filter) => Object.values(filter).some((value) => value !== undefined), 'needs a topic or a code'),
  }),
  z.strictObject({ all: z.literal(true) }),
])

export function listInboxRoutes(context: Context): readonly Route[] {
  const { settings, ask, mask, jobs } = context
  const { inbox } = settings
  if (!inbox) return []

  async function list(url: string, signal: AbortSignal): Promise<InboxPage> {
    const { limit, after, ...filter } = readInput(FILTER, toRecord(url))
    const items: InboxItem[] = []
    const query = { ...filter, signal, after: after === undefined ? undefined : { id: after } }
    return ask('inbox', async () => {
      for await (const listed of inbox?.list(query) ?? []) {
        if (items.length === limit) return { items, hasMore: true }
        items.push(toInboxItem(listed, mask))
      }
      return { items, hasMore: false }
    })
  }

  /**
   * Notes the ids once, when they were asked for: a dead letter that dies again meanwhile is not retried again, and a
   * discard does not take those that came later.
   */
  async function choose(choice: DeadLetterChoice): Promise<readonly string[]> {
    if ('ids' in choice) return [...new Set(choice.ids)]
    const filter = 'filter' in choice ? choice.filter : {}
    return ask('inbox', async () => {
      const ids: string[] = []
      for await (const { id } of inbox?.deadLetters.list(filter) ?? []) {
        ids.push(id)
        if (ids.length > MAX_CHOSEN) throw badRequest(`These are over ${MAX_CHOSEN}: choose by topic or by code.`)
      }
      return ids
    })
  }

  const start = (kind: Job['kind']): Route => ({
    method: 'POST',
    path: `/api/inbox/${kind}`,
    async answer({ readJson }) {
      const ids = await choose(readInput(CHOICE, await readJson()) as DeadLetterChoice)
      return Response.json(jobs.start(kind, ids), { status: 202 })
    },
  })

  return [
    {
      method: 'GET',
      path: '/api/inbox',
      answer: async () => Response.json(toCounts(await ask('inbox', () => inbox.statistics()))),
    },
    {
      method: 'GET',
      path: '/api/inbox/deliveries',
      answer: async ({ request }) => Response.json(await list(request.url, request.signal)),
    },
    {
      method: 'GET',
      path: '/api/inbox/dead/:id',
      async answer({ params }) {
        const found = await ask('inbox', () => inbox.deadLetters.get(readInput(text, params.id)))
        if (!found) throw notFound('dead letter')
        return Response.json(toDeadLetter(found, mask))
      },
    },
    start('retry'),
    start('discard'),
    {
      method: 'GET',
      path: '/api/jobs/:id',
      answer: ({ params }) => Response.json(jobs.get(readInput(text, params.id))),
    },
    {
      method: 'DELETE',
      path: '/api/jobs/:id',
      answer: ({ params }) => Response.json(jobs.undo(readInput(text, params.id))),
    },
  ]
}
