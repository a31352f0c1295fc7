import * as z from 'zod'
import type { EmulatedEventCallback, Emulator, Faults } from '../../emulator/index.ts'
import type { FaultName, Sample, SentCalls, TriggerRequest } from '../api.ts'
import type { Context } from './context.ts'
import { refuseMistakes } from './problem.ts'
import { readInput, resourceChanges, text } from './read-query.ts'
import type { Route } from './routes.ts'
import { defined } from './write-delivery.ts'

/** The faults of `hooklayer trigger`, as the emulator has them. */
const FAULTS = {
  duplicate: { duplicate: 1 },
  reorder: { reorder: 1 },
  'wrong-signature': { wrongSignature: 1 },
  'other-topic': { wrongTopic: 1 },
  slow: { slowBody: 1 },
  cut: { dropMidBody: 1 },
} as const satisfies Readonly<Record<FaultName, Faults>>

const MAX_TIMES = 100

const REQUEST = z.strictObject({
  topic: text,
  resource: resourceChanges.optional(),
  times: z.int().min(1).max(MAX_TIMES).default(1),
  fault: z.enum(Object.keys(FAULTS) as FaultName[]).optional(),
} satisfies Record<keyof TriggerRequest, z.ZodType>)

export function listTriggerRoutes({ settings, ask }: Context): readonly Route[] {
  const { emulator } = settings
  if (!emulator) return []
  return [
    {
      method: 'GET',
      path: '/api/trigger/:topic',
      async answer({ params }) {
        const topic = readInput(text, params.topic)
        const resource = await ask('emulator', () => refuseMistakes(() => emulator.sample(topic)))
        return Response.json({ topic, resource: toTree(resource) } satisfies Sample)
      },
    },
    {
      method: 'POST',
      path: '/api/trigger',
      async answer({ readJson }) {
        const { topic, resource, times, fault } = readInput(REQUEST, await readJson())
        const faults = fault && FAULTS[fault]
        const triggerOnce = () => emulator.trigger(topic, resource, { faults })
        const calls = await ask('emulator', () =>
          refuseMistakes(() => Promise.all(Array.from({ length: times }, triggerOnce))),
        )
        return Response.json(toSentCalls(topic, calls.flat(), emulator))
      },
    },
  ]
}

/** The answers of the receiver, or why nothing was called. */
export function toSentCalls(topic: string, calls: readonly EmulatedEventCallback[], { webhooks }: Emulator): SentCalls {
  if (calls.length === 0) return { calls: [{ topic, reason: explainSilence(topic, webhooks) }] }
  return {
    calls: calls.map(({ response_code, response_message }) => ({
      topic,
      ...defined({
        status: response_code === null ? undefined : Number(response_code),
        reason: response_message ?? undefined,
      }),
    })),
  }
}

function explainSilence(topic: string, webhooks: Emulator['webhooks']): string {
  const subscribed = webhooks.filter((webhook) => webhook.topic === topic)
  if (subscribed.length === 0) return 'No webhook has this topic: add it to --topics.'
  if (subscribed.some(({ circuit_state }) => circuit_state === 'open')) {
    return 'The circuit of the webhook is open. Reset it first.'
  }
  return 'Its webhook is disabled. Enable it first.'
}

/** Resources are linked in circles, which JSON cannot say: one that was written before is left as its type and id. */
function toTree(value: object, written = new Set<object>()): Record<string, unknown> {
  written.add(value)
  const convert = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(convert)
    if (typeof inner !== 'object' || inner === null) return inner
    if (!written.has(inner)) return toTree(inner, written)
    const { type, id } = inner as { readonly type?: unknown; readonly id?: unknown }
    return { type, id }
  }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, convert(inner)]))
}
