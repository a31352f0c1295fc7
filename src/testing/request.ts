import { EXTERNAL_RESOURCES, type ExternalResourceKind } from '../commerce-layer/external-resources.ts'
import type { ResourceOf } from '../commerce-layer/resources.ts'
import type { Changes } from '../wire/samples/changes.ts'
import { EXTERNAL_SAMPLE_TOPICS } from '../wire/samples/external-topics.ts'
import { createDelivery, type DeliveryOptions, type TestDelivery } from './delivery.ts'

type Topics = typeof EXTERNAL_SAMPLE_TOPICS

/** The options of {@link createRequest}. */
export interface RequestOptions<K extends ExternalResourceKind = ExternalResourceKind>
  extends Omit<DeliveryOptions<Topics[K]>, 'resource'> {
  /** Changes to the sample, or a whole resource, as in {@link DeliveryOptions}. Default: a sample of the kind. */
  readonly resource?: Changes<ResourceOf<Topics[K]>> | undefined
}

/** A signed request of an external resource. `fetch`, `Request` and `responder.receive` take it as it is. */
export type TestRequest = Omit<TestDelivery, 'topic'>

/**
 * Creates a signed request of an external resource, with the headers and the bytes that Commerce Layer sends. It
 * includes what the kind includes by default, or the paths of `include`, as `external_includes` of the holder.
 *
 * @throws TypeError if the kind is unknown, or for an `include` that is not a relationship of the type.
 * @example
 * const request = await createRequest('tax', { resource: { shipping_address: { country_code: 'IT' } } })
 * const { status, body } = await responder.receive(request)
 */
export async function createRequest<K extends ExternalResourceKind>(
  kind: K,
  options: RequestOptions<K> = {},
): Promise<TestRequest> {
  if (!Object.hasOwn(EXTERNAL_RESOURCES, kind)) {
    throw new TypeError(`createRequest: the kind must be one of ${Object.keys(EXTERNAL_RESOURCES).join(', ')}.`)
  }
  const { resource = {}, include = EXTERNAL_RESOURCES[kind].includes, headers, ...others } = options
  const external = kind === 'prices' ? { _external_price: true, ...resource } : resource
  const { method, body, ...delivery } = await createDelivery<string>(EXTERNAL_SAMPLE_TOPICS[kind], {
    ...others,
    resource: external,
    include,
    headers: { 'X-CommerceLayer-Topic': undefined, ...headers },
  })
  return { method, headers: delivery.headers, body }
}
