import { eventsOf, resourceOf } from '../../commerce-layer/topics.ts'
import { sign } from '../../core/verify/signature.ts'
import type { EventRecord, WebhookRecord } from '../records.ts'
import type { Payload } from './payload.ts'
import type { Chunking } from './post.ts'

/** A fault that is a decoy: a false call before the genuine delivery. */
export type DecoyFault = 'dropMidBody' | 'wrongSignature' | 'wrongTopic'

/** A delivery of an event to a webhook. All its calls are the same, except for decoys. */
export interface Delivery {
  readonly event: EventRecord
  readonly webhook: WebhookRecord
  readonly payload: Payload
  readonly signature: string
  readonly topic: string
  readonly chunking: Chunking
  /** The fault that causes these calls, or `undefined` for calls that would be made without faults too. */
  readonly fault: DecoyFault | 'duplicate' | 'retryAfterSuccess' | undefined
}

export async function createDelivery(event: EventRecord, webhook: WebhookRecord, payload: Payload): Promise<Delivery> {
  const signature = await sign(payload.body, webhook.shared_secret)
  return { event, webhook, payload, signature, topic: event.name, chunking: 'whole', fault: undefined }
}

/** Whether a delivery is a decoy. A decoy does not count toward the circuit and is not retried. */
export function isDecoy({ fault }: Delivery): boolean {
  return fault === 'dropMidBody' || fault === 'wrongSignature' || fault === 'wrongTopic'
}

export async function createDecoy(delivery: Delivery, fault: DecoyFault): Promise<Delivery> {
  const { payload, webhook } = delivery
  if (fault === 'dropMidBody') return { ...delivery, fault, chunking: 'dropped' }
  if (fault === 'wrongTopic') return { ...delivery, fault, topic: findOtherTopic(delivery.topic) }
  return { ...delivery, fault, signature: await sign(payload.body, `${webhook.shared_secret}, of another webhook`) }
}

/** Another topic of the same resource if there is one, because the body then matches the topic. */
function findOtherTopic(topic: string): string {
  const resource = resourceOf(topic)
  const other = eventsOf(resource)?.find((event) => `${resource}.${event}` !== topic)
  return other === undefined ? 'orders.place' : `${resource}.${other}`
}
