import { sign } from '../../core/signature.ts'
import { eventsOf, resourceOf } from '../../topics/catalogue.ts'
import type { EventRecord, WebhookRecord } from '../records.ts'
import type { Payload } from './payload.ts'
import type { Manner } from './post.ts'

/** Something false that is sent before the true delivery. */
export type Pretence = 'dropMidBody' | 'wrongSignature' | 'wrongTopic'

/** What a webhook is sent about an event: by all of its calls alike, but for those that pretend. */
export interface Delivery {
  readonly event: EventRecord
  readonly webhook: WebhookRecord
  readonly payload: Payload
  readonly signature: string
  readonly topic: string
  readonly manner: Manner
  /** Why its calls are made, where a sender that behaves would make none. */
  readonly extra: Pretence | 'duplicate' | 'retryAfterSuccess' | undefined
}

export async function createDelivery(event: EventRecord, webhook: WebhookRecord, payload: Payload): Promise<Delivery> {
  const signature = await sign(payload.body, webhook.shared_secret)
  return { event, webhook, payload, signature, topic: event.name, manner: 'whole', extra: undefined }
}

/** A receiver owes it nothing: it neither counts towards the circuit nor is it sent again. */
export function isPretence({ extra }: Delivery): boolean {
  return extra === 'dropMidBody' || extra === 'wrongSignature' || extra === 'wrongTopic'
}

export async function pretend(delivery: Delivery, extra: Pretence): Promise<Delivery> {
  const { payload, webhook } = delivery
  if (extra === 'dropMidBody') return { ...delivery, extra, manner: 'dropped' }
  if (extra === 'wrongTopic') return { ...delivery, extra, topic: otherTopic(delivery.topic) }
  return { ...delivery, extra, signature: await sign(payload.body, `${webhook.shared_secret}, of another webhook`) }
}

/** Of the same resource where it has several, as the body would then pass for it. */
function otherTopic(topic: string): string {
  const resource = resourceOf(topic)
  const other = eventsOf(resource)?.find((event) => `${resource}.${event}` !== topic)
  return other === undefined ? 'orders.place' : `${resource}.${other}`
}
