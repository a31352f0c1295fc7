import * as z from 'zod'
import { EXTERNAL_RESOURCES, type ExternalResourceKind } from '../../commerce-layer/external-resources.ts'
import type { AskOptions, EmulatedAnswer } from '../../emulator/index.ts'
import type { AnswerPage, AskRequest } from '../api.ts'
import type { Context } from './context.ts'
import { notFound, refuseMistakes } from './problem.ts'
import { readInput, resourceChanges, text } from './read-query.ts'
import type { Route } from './routes.ts'
import { toAnswerDetails, toAnswerItem } from './write-answer.ts'

const REQUEST = z.strictObject({
  kind: z.enum(Object.keys(EXTERNAL_RESOURCES) as ExternalResourceKind[]),
  holderId: text.optional(),
  resource: resourceChanges.optional(),
} satisfies Record<keyof AskRequest, z.ZodType>)

/** How many of the last answers are listed. */
const MAX_LISTED = 500

/** What the emulator has asked the shop for, and what it answered. */
export function listAnswerRoutes({ settings, ask, mask }: Context): readonly Route[] {
  const { emulator } = settings
  if (!emulator) return []

  const find = (id: string | undefined): EmulatedAnswer => {
    const found = emulator.answers.find((answer) => answer.id === id)
    if (!found) throw notFound('answer')
    return found
  }

  const askFor = async (kind: ExternalResourceKind, options: AskOptions): Promise<Response> => {
    const answer = await ask('emulator', () => refuseMistakes(() => emulator.ask(kind, options)))
    return Response.json(toAnswerItem(answer, { holders: emulator.holders, mask }))
  }

  return [
    {
      method: 'GET',
      path: '/api/answers',
      answer() {
        const { answers, holders } = emulator
        const items = answers.slice(-MAX_LISTED).map((answer) => toAnswerItem(answer, { holders, mask }))
        return Response.json({ items: items.reverse(), hasMore: answers.length > MAX_LISTED } satisfies AnswerPage)
      },
    },
    {
      method: 'GET',
      path: '/api/answers/:id',
      answer: ({ params }) => Response.json(toAnswerDetails(find(params.id), { holders: emulator.holders, mask })),
    },
    {
      method: 'POST',
      path: '/api/answers',
      async answer({ readJson }) {
        const { kind, ...options } = readInput(REQUEST, await readJson())
        return askFor(kind, options)
      },
    },
    {
      method: 'POST',
      path: '/api/answers/:id/ask-again',
      answer({ params }) {
        const { kind, holderId, request } = find(params.id)
        return askFor(kind, { holderId, document: request })
      },
    },
  ]
}
