import type { LineItem, Order, Shipment } from '@commercelayer/sdk'
import type { ExternalResourceKind } from '../commerce-layer/external-resources.ts'
import type { UnknownTopic, WebhookEvent } from '../core/event/event.ts'
import type { WithIncluded } from '../core/event/include.ts'
import { getHeader, type HeadersLike } from '../core/http/request.ts'

interface Resources extends Record<ExternalResourceKind, object> {
  prices: LineItem
  'order-validation': Order
  'shipping-cost': Shipment
  promotion: Order
  tax: Order
}

/** The resource that a request of a kind carries, without includes. */
export type RequestResource<K extends ExternalResourceKind> = Resources[K]

/**
 * What requests include by default. A step with `?` may be null, or absent: requests of before 2024 include less, and
 * a guest's order has no customer.
 */
interface DefaultPaths extends Record<ExternalResourceKind, string> {
  prices: 'order.customer?.tags?' | 'order.line_items?' | 'order.market?' | 'item?'
  'order-validation': 'billing_address?' | 'shipping_address?' | 'line_items.item?' | 'market' | 'customer?'
  'shipping-cost': 'shipping_method?' | 'order?'
  promotion: 'market' | 'customer?.tags?' | 'line_items.item?' | 'shipping_address?' | 'billing_address?'
  tax: 'market' | 'line_items.item?' | 'shipping_address?' | 'billing_address?'
}

/** A verified request of Commerce Layer. */
export interface ResponderRequest<K extends ExternalResourceKind, Path extends string = never>
  extends Pick<WebhookEvent<UnknownTopic>, 'id' | 'mode' | 'organizationId' | 'rawBody' | 'receivedAt' | 'delivery'> {
  /**
   * The line item, order or shipment, with included relationships linked: the default ones of the kind, or those of
   * `externalIncludes`.
   */
  readonly resource: [Path] extends [never]
    ? WithIncluded<RequestResource<K>, DefaultPaths[K]>
    : WithIncluded<RequestResource<K>, Path>
}

/** The headers of a request, with the topic that they lack. A class, because V8 keeps closures for long. */
export class HeadersWithTopic {
  readonly #headers: HeadersLike
  readonly #topic: string

  constructor(headers: HeadersLike, topic: string) {
    this.#headers = headers
    this.#topic = topic
  }

  get(name: string): string | null {
    return name === 'x-commercelayer-topic' ? this.#topic : (getHeader(this.#headers, name) ?? null)
  }

  /** Nobody changes these headers. It is what headers of the Fetch API are recognized by. */
  append(): void {}
}
