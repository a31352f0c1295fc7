import type {
  Address,
  Authorization,
  AvalaraAccount,
  Bundle,
  BuyXPayYPromotion,
  Capture,
  Cleanup,
  Coupon,
  Customer,
  CustomerAddress,
  CustomerPasswordReset,
  CustomerSubscription,
  Export,
  ExternalPromotion,
  ExternalTaxCalculator,
  FixedAmountPromotion,
  FixedPricePromotion,
  FlexPromotion,
  FreeGiftPromotion,
  FreeShippingPromotion,
  GiftCard,
  Import,
  InStockSubscription,
  LineItem,
  LineItemOption,
  ManualTaxCalculator,
  Order,
  OrderCopy,
  OrderSubscription,
  Parcel,
  PercentageDiscountPromotion,
  PriceFrequencyTier,
  PriceListScheduler,
  PriceVolumeTier,
  RecurringOrderCopy,
  Refund,
  Return,
  Shipment,
  ShippingWeightTier,
  Sku,
  SkuOption,
  StockTransfer,
  StripeTaxAccount,
  TaxjarAccount,
  VertexAccount,
  Void,
} from '@commercelayer/sdk'
import type { Topic, TopicResource } from './topics.ts'

type Promotion =
  | BuyXPayYPromotion
  | ExternalPromotion
  | FixedAmountPromotion
  | FixedPricePromotion
  | FlexPromotion
  | FreeGiftPromotion
  | FreeShippingPromotion
  | PercentageDiscountPromotion

type Transaction = Authorization | Capture | Void | Refund

type TaxCalculator =
  | AvalaraAccount
  | ExternalTaxCalculator
  | ManualTaxCalculator
  | StripeTaxAccount
  | TaxjarAccount
  | VertexAccount

/** The SDK's type of each resource that has topics. A family of concrete types, such as `promotions`, is a union. */
interface SdkResources extends Record<TopicResource, { readonly type: string }> {
  addresses: Address
  authorizations: Authorization
  avalara_accounts: TaxCalculator
  bundles: Bundle
  buy_x_pay_y_promotions: BuyXPayYPromotion
  captures: Capture
  cleanups: Cleanup
  coupons: Coupon
  customer_addresses: CustomerAddress
  customer_password_resets: CustomerPasswordReset
  customer_subscriptions: CustomerSubscription
  customers: Customer
  exports: Export
  external_promotions: ExternalPromotion
  fixed_amount_promotions: FixedAmountPromotion
  fixed_price_promotions: FixedPricePromotion
  flex_promotions: FlexPromotion
  free_gift_promotions: FreeGiftPromotion
  free_shipping_promotions: FreeShippingPromotion
  gift_cards: GiftCard
  imports: Import
  in_stock_subscriptions: InStockSubscription
  line_item_options: LineItemOption
  line_items: LineItem
  order_copies: OrderCopy
  order_subscriptions: OrderSubscription
  orders: Order
  parcels: Parcel
  percentage_discount_promotions: PercentageDiscountPromotion
  price_frequency_tiers: PriceFrequencyTier
  price_list_schedulers: PriceListScheduler
  price_volume_tiers: PriceVolumeTier
  promotions: Promotion
  recurring_order_copies: RecurringOrderCopy
  refunds: Refund
  returns: Return
  shipments: Shipment
  shipping_weight_tiers: ShippingWeightTier
  sku_options: SkuOption
  skus: Sku
  stock_transfers: StockTransfer
  transactions: Transaction
  voids: Void
}

/** A resource whose type is not in the catalog `TOPICS`. Every attribute is `unknown`, and may be absent. */
export interface LooseResource {
  readonly id: string
  readonly type: string
  [attribute: string]: unknown
}

/** A destroyed resource. Commerce Layer sends its `id` and `type` and nothing else. */
export interface DestroyedResource<Type extends string = string> {
  readonly id: string
  readonly type: Type
}

/**
 * The resource that a delivery of topic `T` carries, with its included relationships linked:
 *
 * - `Order` for `orders.place`, and so on: the type of `@commercelayer/sdk`
 * - {@link DestroyedResource} for every `*.destroy`
 * - a union of concrete types for `promotions.*`, `transactions.*` and `avalara_accounts.*`
 * - {@link LooseResource} for a topic that is not in the catalog `TOPICS`
 *
 * @example
 * function ship(order: ResourceOf<'orders.place'>) {
 *   console.log(order.number, order.line_items?.length)
 * }
 */
export type ResourceOf<T extends string> = T extends Topic
  ? T extends `${infer R extends TopicResource}.${infer Event}`
    ? Event extends 'destroy'
      ? DestroyedResource<SdkResources[R]['type']>
      : SdkResources[R]
    : never
  : LooseResource
