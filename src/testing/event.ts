import type { ResourceOf } from '../commerce-layer/resources.ts'
import type { Topic } from '../commerce-layer/topics.ts'
import { parse, type WebhookEvent } from '../core/event/event.ts'
import { verify } from '../core/verify/authenticate.ts'
import type { Changes } from '../wire/samples/changes.ts'
import { createDelivery, type DeliveryOptions } from './delivery.ts'

/** The options of {@link createEvent}. */
export interface EventOptions<Path extends string = string>
  extends Pick<DeliveryOptions, 'mode' | 'organizationId' | 'apiVersion' | 'traceId'> {
  /**
   * The relationships to include, as in the `include` of the handler: in the type of the event they are present.
   * Default: the usual ones of the type, which the type of the event has as optional.
   *
   * @throws TypeError for a name that is not a relationship of the type.
   */
  readonly include?: readonly Path[] | undefined
}

/** No receiver has it: the delivery behind the event never leaves this file. */
const SECRET = 'of createEvent, and of nobody else'

/**
 * Creates the event that a handler gets for a topic, to test the handler alone, without a receiver or a signature.
 *
 * @param overrides the same as `resource` in {@link DeliveryOptions}: changes to the sample of the topic, or a whole
 * resource. What depends on a change follows it: totals follow lines, and `customer_email` follows `customer.email`.
 * @throws TypeError for an `include` that is not a relationship of the type; WebhookError `TOPIC_INVALID` or
 * `TOPIC_MISMATCH`.
 *
 * @example
 * const event = await createEvent('orders.place', { customer: { email: 'zoe@example.com' } }, { include: ['customer'] })
 * await sendMail(event)
 */
export async function createEvent<T extends Topic | (string & {}), const Path extends string = never>(
  topic: T,
  overrides: Changes<ResourceOf<T>> = {} as Changes<ResourceOf<T>>,
  { include, ...options }: EventOptions<Path> = {},
): Promise<WebhookEvent<T, Path>> {
  const paths = include?.map((path) => path.replaceAll('?', ''))
  const { headers, body } = await createDelivery<string>(topic, {
    ...options,
    secret: SECRET,
    resource: overrides,
    ...(paths && { include: paths }),
  })
  const event = await parse(await verify(body, headers, SECRET))
  return event as unknown as WebhookEvent<T, Path>
}
