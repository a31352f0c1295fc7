import { eventsOf, resourceOf } from '../../commerce-layer/topics.ts'
import { sign } from '../../core/verify/signature.ts'
import type { EventRecord, WebhookRecord } from '../records.ts'
import type { Payload } from './payload.ts'
import type { Chunking } from './post.ts'

/** Something false that is sent before the true delivery. */
export type Decoy = 'dropMidBody' | 'wrongSignature' | 'wrongTopic'

/** What a webhook is sent about an event: by all of its calls alike, but for those that pretend. */
export interface Delivery {
  readonly event: EventRecord
  readonly webhook: WebhookRecord
  readonly payload: Payload
  readonly signature: string
  readonly topic: string
  readonly chunking: Chunking
  /** Why its calls are made, where a sender that behaves would make none. */
  readonly extra: Decoy | 'duplicate' | 'retryAfterSuccess' | undefined
}

export async function createDelivery(event: EventRecord, webhook: WebhookRecord, payload: Payload): Promise<Delivery> {
  const signature = await sign(payload.body, webhook.shared_secret)
  return { event, webhook, payload, signature, topic: event.name, chunking: 'whole', extra: undefined }
}

/** A receiver owes it nothing: it neither counts towards the circuit nor is it sent again. */
export function isDecoy({ extra }: Delivery): boolean {
  return extra === 'dropMidBody' || extra === 'wrongSignature' || extra === 'wrongTopic'
}

export async function createDecoy(delivery: Delivery, extra: Decoy): Promise<Delivery> {
  const { payload, webhook } = delivery
  if (extra === 'dropMidBody') return { ...delivery, extra, chunking: 'dropped' }
  if (extra === 'wrongTopic') return { ...delivery, extra, topic: otherTopic(delivery.topic) }
  return { ...delivery, extra, signature: await sign(payload.body, `${webhook.shared_secret}, of another webhook`) }
}

/** Of the same resource where it has several, as the body would then pass for it. */
function otherTopic(topic: string): string {
  const resource = resourceOf(topic)
  const other = eventsOf(resource)?.find((event) => `${resource}.${event}` !== topic)
  return other === undefined ? 'orders.place' : `${resource}.${other}`
}
