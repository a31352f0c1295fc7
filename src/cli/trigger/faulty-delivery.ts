import { createDelivery, type TestDelivery } from 'hooklayer/testing'
import type { Fault } from './faults.ts'

/** A delivery, and the fault that it is sent with. */
export interface PlannedDelivery {
  readonly delivery: TestDelivery
  readonly fault: Fault | undefined
}

const OTHER_TOPICS = ['orders.place', 'customers.create'] as const
const TOPIC = 'x-commercelayer-topic'
const SIGNATURE = 'x-commercelayer-signature'

/** Applies a fault to the deliveries of one run. */
export async function applyFault(
  deliveries: readonly TestDelivery[],
  fault: Fault | undefined,
  options: { readonly otherSecret: string },
): Promise<PlannedDelivery[]> {
  const planned = deliveries.map((delivery) => ({ delivery, fault }))
  if (fault === 'duplicate') return planned.flatMap((plan) => [plan, plan])
  if (fault === 'reorder') return planned.reverse()
  if (fault === 'wrong-signature') {
    const { headers } = await createDelivery('orders.place', { secret: options.otherSecret })
    return planned.map((plan) => replaceHeader(plan, SIGNATURE, readHeader(headers, SIGNATURE)))
  }
  if (fault === 'other-topic') {
    return planned.map((plan) => {
      const other = OTHER_TOPICS.find((topic) => topic !== plan.delivery.topic)
      return replaceHeader(plan, TOPIC, String(other))
    })
  }
  return planned
}

/** The body of a delivery as `fetch` takes it. With `slow` and `cut` it is a stream. */
export function createBody({ delivery, fault }: PlannedDelivery): Uint8Array | ReadableStream<Uint8Array> {
  const { body } = delivery
  if (fault === 'slow') return ReadableStream.from(sendSlowly(body))
  if (fault === 'cut') return ReadableStream.from(sendHalf(body))
  return body
}

const PARTS = 10
const PART_MS = 200

async function* sendSlowly(body: Uint8Array): AsyncGenerator<Uint8Array> {
  const size = Math.ceil(body.length / PARTS)
  for (let from = 0; from < body.length; from += size) {
    if (from > 0) await new Promise((resolve) => setTimeout(resolve, PART_MS))
    yield body.subarray(from, from + size)
  }
}

async function* sendHalf(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body.subarray(0, body.length / 2)
  await new Promise((resolve) => setTimeout(resolve, PART_MS)) // Until it has left.
  throw new Error('Cut on purpose.')
}

function replaceHeader({ delivery, fault }: PlannedDelivery, name: string, value: string): PlannedDelivery {
  const others = Object.entries(delivery.headers).filter(([header]) => header.toLowerCase() !== name)
  return { delivery: { ...delivery, headers: { ...Object.fromEntries(others), [name]: value } }, fault }
}

function readHeader(headers: Readonly<Record<string, string>>, name: string): string {
  return Object.entries(headers).find(([header]) => header.toLowerCase() === name)?.[1] ?? ''
}
