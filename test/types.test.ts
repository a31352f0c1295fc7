import type * as Sdk from '@commercelayer/sdk'
import {
  createReceiver,
  type Delivery,
  type DestroyedResource,
  type ErrorCode,
  type Handler,
  type LooseResource,
  parse,
  type Receiver,
  type ReceiverOptions,
  type ResourceOf,
  type Topic,
  type TopicOf,
  type TopicResource,
  type UnknownTopic,
  verify,
  type WebhookError,
  type WebhookEvent,
} from 'hooklayer'
import type { DeadLetterSelection, WebhookRequest } from 'hooklayer/drivers'
import { describe, expectTypeOf, it } from 'vitest'
import { recordingLogger, SECRET } from './deliveries.ts'

const receiver: Receiver = createReceiver({ secrets: () => SECRET, logger: recordingLogger().logger })

describe('the types of topics', () => {
  it('are the literals of the catalogue', () => {
    expectTypeOf<'orders.place'>().toExtend<Topic>()
    expectTypeOf<'price_list_schedulers.activated'>().toExtend<Topic>()
    expectTypeOf<'orders.placed'>().not.toExtend<Topic>()
    expectTypeOf<string>().not.toExtend<Topic>()
    expectTypeOf<TopicOf<'transactions'>>().toEqualTypeOf<'transactions.create' | 'transactions.refused'>()
    // @ts-expect-error the catalogue has no such topic
    const wrong: Topic = 'orders.placed'
    // @ts-expect-error the catalogue has no such resource
    const wrongResource: TopicResource = 'order'
    void [wrong, wrongResource]
  })
})

describe('the type of a resource', () => {
  it('is that of the SDK', () => {
    expectTypeOf<ResourceOf<'orders.place'>>().toEqualTypeOf<Sdk.Order>()
    expectTypeOf<ResourceOf<'orders.place'>>().not.toBeAny()
    expectTypeOf<ResourceOf<'customers.create'>>().toEqualTypeOf<Sdk.Customer>()
    expectTypeOf<ResourceOf<'skus.tagged'>>().toEqualTypeOf<Sdk.Sku>()
    expectTypeOf<ResourceOf<'gift_cards.redeem'>>().toEqualTypeOf<Sdk.GiftCard>()
    expectTypeOf<ResourceOf<'shipments.ship'>>().toEqualTypeOf<Sdk.Shipment>()
    expectTypeOf<ResourceOf<'voids.failed'>>().toEqualTypeOf<Sdk.Void>()
  })

  it('is never `any` or untyped, whatever the topic', () => {
    type IsAny<T> = 0 extends 1 & T ? true : false
    type AnyTopics = { [T in Topic]: IsAny<ResourceOf<T>> extends true ? T : never }[Topic]
    expectTypeOf<AnyTopics>().toBeNever()
    type Untyped = { [T in Topic]: string extends ResourceOf<T>['type'] ? T : never }[Topic]
    expectTypeOf<Untyped>().toBeNever()
  })

  it('is a union for a topic that carries one of several types', () => {
    expectTypeOf<ResourceOf<'promotions.create'>>().toEqualTypeOf<
      | Sdk.BuyXPayYPromotion
      | Sdk.ExternalPromotion
      | Sdk.FixedAmountPromotion
      | Sdk.FixedPricePromotion
      | Sdk.FlexPromotion
      | Sdk.FreeGiftPromotion
      | Sdk.FreeShippingPromotion
      | Sdk.PercentageDiscountPromotion
    >()
    expectTypeOf<ResourceOf<'transactions.refused'>>().toEqualTypeOf<
      Sdk.Authorization | Sdk.Capture | Sdk.Refund | Sdk.Void
    >()
    expectTypeOf<ResourceOf<'avalara_accounts.invoice_committed'>>().toEqualTypeOf<
      | Sdk.AvalaraAccount
      | Sdk.ExternalTaxCalculator
      | Sdk.ManualTaxCalculator
      | Sdk.StripeTaxAccount
      | Sdk.TaxjarAccount
      | Sdk.VertexAccount
    >()
    expectTypeOf<ResourceOf<'transactions.create'>['type']>().toEqualTypeOf<
      'authorizations' | 'captures' | 'refunds' | 'voids'
    >()
  })

  it('is only the id and type for a destroyed resource', () => {
    expectTypeOf<ResourceOf<'orders.destroy'>>().toEqualTypeOf<DestroyedResource<'orders'>>()
    expectTypeOf<keyof ResourceOf<'orders.destroy'>>().toEqualTypeOf<'id' | 'type'>()
    expectTypeOf<ResourceOf<'orders.destroy'>['type']>().toEqualTypeOf<'orders'>()
    expectTypeOf<ResourceOf<'promotions.destroy'>['type']>().toEqualTypeOf<ResourceOf<'promotions.create'>['type']>()
  })

  it('is loose for a topic that is not in the catalogue', () => {
    expectTypeOf<ResourceOf<'novelties.appear'>>().toEqualTypeOf<LooseResource>()
    expectTypeOf<ResourceOf<'orders.novelty'>>().toEqualTypeOf<LooseResource>()
    expectTypeOf<ResourceOf<string>>().toEqualTypeOf<LooseResource>()
    expectTypeOf<LooseResource['anything']>().toBeUnknown()
  })
})

describe('the type of the argument of a handler', () => {
  it('is the event with an order for `orders.place`', () => {
    receiver.on('orders.place', (event, context) => {
      expectTypeOf(event).not.toBeAny()
      expectTypeOf(event.topic).toEqualTypeOf<'orders.place'>()
      expectTypeOf(event.resource).toEqualTypeOf<Sdk.Order>()
      expectTypeOf(event.resource.customer?.email).toEqualTypeOf<string | undefined>()
      expectTypeOf(event.mode).toEqualTypeOf<'test' | 'live' | undefined>()
      expectTypeOf(event.rawBody).toEqualTypeOf<Uint8Array>()
      expectTypeOf(event.delivery).toEqualTypeOf<Delivery>()
      expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>()
      expectTypeOf(context).not.toBeAny()
      // @ts-expect-error an order has no such attribute
      void event.resource.nothing_of_the_kind
      // @ts-expect-error an event cannot be changed
      event.topic = 'orders.place'
    })
  })

  it('is the union of the events of a list of topics', () => {
    receiver.on(['orders.place', 'customers.create'], (event) => {
      expectTypeOf(event.topic).toEqualTypeOf<'orders.place' | 'customers.create'>()
      expectTypeOf(event.resource).toEqualTypeOf<Sdk.Order | Sdk.Customer>()
      if (event.topic === 'orders.place') expectTypeOf(event.resource).toEqualTypeOf<Sdk.Order>()
      else expectTypeOf(event.resource).toEqualTypeOf<Sdk.Customer>()
      // @ts-expect-error a customer has no number
      void event.resource.number
    })
  })

  it('is the union of the events of a resource for `orders.*`', () => {
    receiver.on('orders.*', (event) => {
      expectTypeOf(event).toEqualTypeOf<WebhookEvent<TopicOf<'orders'>>>()
      expectTypeOf(event.topic).toEqualTypeOf<TopicOf<'orders'>>()
      if (event.topic === 'orders.destroy') expectTypeOf(event.resource).toEqualTypeOf<DestroyedResource<'orders'>>()
      else expectTypeOf(event.resource).toEqualTypeOf<Sdk.Order>()
    })
  })

  it('is every event for `*`, to be narrowed by its topic', () => {
    receiver.on('*', (event) => {
      expectTypeOf(event).toEqualTypeOf<WebhookEvent>()
      expectTypeOf(event).not.toBeAny()
      expectTypeOf(event.topic).toEqualTypeOf<Topic | UnknownTopic>()
      if (event.topic === 'orders.place') expectTypeOf(event.resource).toEqualTypeOf<Sdk.Order>()
      if (event.topic === 'orders.destroy') expectTypeOf(event.resource).toEqualTypeOf<DestroyedResource<'orders'>>()
      switch (event.topic) {
        case 'customers.create':
        case 'customers.repeat':
          expectTypeOf(event.resource).toEqualTypeOf<Sdk.Customer>()
          break
        case 'transactions.create':
          expectTypeOf(event.resource.type).toEqualTypeOf<'authorizations' | 'captures' | 'refunds' | 'voids'>()
      }
      // @ts-expect-error the topic is not narrowed yet
      void event.resource.customer
    })
  })

  it('is an event with a loose resource for an unknown topic', () => {
    receiver.on('novelties.appear', (event) => {
      expectTypeOf(event.topic).toEqualTypeOf<'novelties.appear'>()
      expectTypeOf(event.resource).toEqualTypeOf<LooseResource>()
      expectTypeOf(event.resource.anything).toBeUnknown()
    })
    receiver.on('novelties.*', (event) => expectTypeOf(event.resource).toEqualTypeOf<LooseResource>())
  })

  it('is the event of its topic for a handler that is declared separately', () => {
    const handler: Handler<'orders.place'> = ({ resource }) => expectTypeOf(resource).toEqualTypeOf<Sdk.Order>()
    receiver.on('orders.place', handler)
    const all: Handler = ({ topic }) => expectTypeOf(topic).toEqualTypeOf<Topic | UnknownTopic>()
    receiver.on('orders.place', all).on('orders.*', all).on('*', all)
    // @ts-expect-error a handler of orders is not a handler of customers
    const mixUp = () => receiver.on('customers.create', handler)
    void mixUp
  })

  it('is a WebhookError or a PermanentError for an error handler', () => {
    receiver.onError((error, { topic, event }) => {
      expectTypeOf(error).not.toBeAny()
      expectTypeOf(error.message).toEqualTypeOf<string>()
      if ('code' in error) expectTypeOf(error).toEqualTypeOf<WebhookError>()
      expectTypeOf(topic).toEqualTypeOf<string | undefined>()
      expectTypeOf(event).toEqualTypeOf<WebhookEvent | undefined>()
    })
    expectTypeOf<'SIGNATURE_MISMATCH'>().toExtend<ErrorCode>()
    expectTypeOf<string>().not.toExtend<ErrorCode>()
  })
})

describe('the types of a receiver accept', () => {
  it('secrets as they come from the environment, in every shape', () => {
    const variable: string | undefined = process.env.CL_SECRET
    expectTypeOf(variable).toExtend<ReceiverOptions['secrets']>()
    expectTypeOf({ 'orders.place': variable }).toExtend<ReceiverOptions['secrets']>()
    expectTypeOf({ 'orders.place': [variable, variable] }).toExtend<ReceiverOptions['secrets']>()
    expectTypeOf([variable]).toExtend<ReceiverOptions['secrets']>()
    expectTypeOf(async (topic: string) => process.env[topic]).toExtend<ReceiverOptions['secrets']>()
    expectTypeOf((_: string) => [variable]).toExtend<ReceiverOptions['secrets']>()
    expectTypeOf<number>().not.toExtend<ReceiverOptions['secrets']>()
    expectTypeOf<null>().not.toExtend<ReceiverOptions['secrets']>()
    expectTypeOf<{ 'orders.place': Uint8Array }>().not.toExtend<ReceiverOptions['secrets']>()
  })

  it('only known options, and require secrets', () => {
    const refused = () => {
      // @ts-expect-error secrets are missing
      createReceiver({})
      // @ts-expect-error there is no such option
      createReceiver({ secrets: SECRET, deadline: 1000 })
      // @ts-expect-error milliseconds are a number
      createReceiver({ secrets: SECRET, deadlineMs: '1000' })
    }
    void refused
  })

  it('headers of every kind, and only a body that is not parsed', () => {
    type RequestHeaders = WebhookRequest['headers']
    expectTypeOf<Headers>().toExtend<RequestHeaders>()
    expectTypeOf<[string, string][]>().toExtend<RequestHeaders>()
    expectTypeOf<Map<string, string>>().toExtend<RequestHeaders>()
    expectTypeOf<import('node:http').IncomingHttpHeaders>().toExtend<RequestHeaders>()
    expectTypeOf<Record<string, string[]>>().toExtend<RequestHeaders>()
    expectTypeOf<Buffer>().toExtend<WebhookRequest['body']>()
    expectTypeOf<() => Promise<Buffer>>().toExtend<WebhookRequest['body']>()
    expectTypeOf<{ data: object }>().not.toExtend<WebhookRequest['body']>()
  })

  it('only text as a topic, and only a function as a handler', () => {
    const refused = () => {
      // @ts-expect-error a topic is text
      receiver.on(1, () => {})
      // @ts-expect-error a handler is a function
      receiver.on('orders.place', 'handler')
    }
    void refused
  })
})

describe('unverified data', () => {
  it('is not accepted by `parse`', () => {
    expectTypeOf(parse).parameter(0).toEqualTypeOf<Delivery>()
    expectTypeOf(verify).returns.resolves.toEqualTypeOf<Delivery>()
    expectTypeOf(parse).returns.resolves.toEqualTypeOf<WebhookEvent>()
    const refused = (bytes: Uint8Array, delivery: Delivery) => {
      // @ts-expect-error bytes are of unknown origin
      void parse(bytes)
      // @ts-expect-error text is of unknown origin
      void parse('{}')
      // @ts-expect-error an object of the same shape is not a delivery
      void parse({ topic: 'orders.place', body: bytes, receivedAt: new Date(), id: '' })
      // @ts-expect-error a copy of a delivery is not a delivery
      void parse({ ...delivery })
    }
    void refused
  })
})

describe('the type of a resource with its includes', () => {
  it('has the included relationships, which cannot be undefined', () => {
    receiver.on(
      'orders.place',
      { include: ['customer', 'line_items.item', 'payment_method?'] },
      ({ resource: order }) => {
        expectTypeOf(order).not.toBeAny()
        expectTypeOf(order.customer).toEqualTypeOf<Sdk.Customer>()
        expectTypeOf(order.customer.email).toEqualTypeOf<string>()
        const [line] = order.line_items
        if (line) {
          expectTypeOf(line.item).not.toBeNullable()
          expectTypeOf(line.item).toEqualTypeOf<NonNullable<Sdk.LineItem['item']>>()
          expectTypeOf(line.order).toEqualTypeOf<Sdk.LineItem['order']>()
        }
        expectTypeOf(order.payment_method).toEqualTypeOf<Sdk.PaymentMethod | null>()
        expectTypeOf(order.market).toEqualTypeOf<Sdk.Order['market']>()
        expectTypeOf(order.number).toEqualTypeOf<Sdk.Order['number']>()
        expectTypeOf(order).toExtend<Sdk.Order>()
        // @ts-expect-error it is not included
        order.market.name
        // @ts-expect-error it may be null
        order.payment_method.name
      },
    )
  })

  it('follows paths of any depth, even if two of them start with the same relationship', () => {
    receiver.on('orders.pay', { include: ['customer', 'customer.customer_group', 'shipments?.parcels'] }, (event) => {
      expectTypeOf(event.resource.customer.customer_group).toEqualTypeOf<Sdk.CustomerGroup>()
      expectTypeOf(event.resource.shipments?.[0]?.parcels).toEqualTypeOf<Sdk.Parcel[] | undefined>()
    })
  })

  it('depends on the topic if there are several, and is that of the SDK if nothing is included', () => {
    receiver.on(['orders.place', 'customers.create'], { include: ['tags'] }, (event) => {
      expectTypeOf(event.resource.tags).toEqualTypeOf<Sdk.Tag[]>()
      if (event.topic === 'orders.place') expectTypeOf(event.resource.number).toEqualTypeOf<Sdk.Order['number']>()
    })
    const paths: string[] = ['customer']
    receiver.on('orders.place', { include: paths }, ({ resource }) => expectTypeOf(resource).toEqualTypeOf<Sdk.Order>())
    receiver.on('orders.place', {}, ({ resource }) => expectTypeOf(resource).toEqualTypeOf<Sdk.Order>())
    // @ts-expect-error a destroyed resource has no relationships
    receiver.on('orders.destroy', { include: ['customer'] }, ({ resource }) => {
      expectTypeOf(resource).toExtend<{ id: string; type: 'orders' }>()
    })
    receiver.on('novelties.appear', { include: ['thing'] }, ({ resource }) => {
      expectTypeOf(resource.id).toEqualTypeOf<string>()
    })
  })

  it('does not compile with a path that the resource has not', () => {
    const refused = () => {
      // @ts-expect-error it is `customer`
      receiver.on('orders.place', { include: ['market', 'custmer'] }, () => {})
      // @ts-expect-error it is `customer_group`
      receiver.on('orders.place', { include: ['customer.grup'] }, () => {})
      // @ts-expect-error it is `price_list`, four steps deep
      receiver.on('orders.place', { include: ['customer?.customer_group?.markets.price_lst'] }, () => {})
      // @ts-expect-error the number of an order is no relationship
      receiver.on('orders.*', { include: ['number'] }, () => {})
      // @ts-expect-error metadata have no relationships
      receiver.on('orders.place', { include: ['customer.metadata.anything'] }, () => {})
    }
    void refused
  })

  it('compiles with a relationship that one of its types has, and with any of an unknown topic', () => {
    receiver.on('orders.pay', { include: ['line_items.item.prices', 'payment_source?.payment_gateway'] }, () => {})
    receiver.on('promotions.create', { include: ['skus', 'coupons.coupon_recipient'] }, () => {})
    receiver.on('*', { include: ['novelty'] }, () => {})
    receiver.on('orders.novelty', { include: ['novelty.deeper'] }, () => {})
  })

  it('compiles with a cast for a relationship that the SDK does not know yet, and keeps the others', () => {
    receiver.on('orders.fulfill', { include: ['novelty' as never, 'customer'] }, ({ resource: order }) => {
      expectTypeOf(order.customer).toEqualTypeOf<Sdk.Customer>()
    })
    receiver.on('orders.fulfill', { include: ['novelty' as string] }, ({ resource: order }) => {
      expectTypeOf(order).toEqualTypeOf<Sdk.Order>()
    })
  })

  it('needs the option `include`, and no misspelled one is accepted', () => {
    // @ts-expect-error the option is `include`
    const misspelled = () => receiver.on('orders.place', { includes: ['customer'] }, () => {})
    void misspelled
  })
})

describe('the type of a selection of dead letters', () => {
  it('is an id, all, or a filter with a field that is defined', () => {
    expectTypeOf<DeadLetterSelection>().not.toBeAny()
    expectTypeOf<'all'>().toExtend<DeadLetterSelection>()
    expectTypeOf<{ topic: 'orders.place'; failedUntil: Date }>().toExtend<DeadLetterSelection>()
    expectTypeOf<{ topic: 'orders.place'; code: undefined }>().toExtend<DeadLetterSelection>()
    expectTypeOf<object>().not.toExtend<DeadLetterSelection>()
    expectTypeOf<{ topic: undefined }>().not.toExtend<DeadLetterSelection>()
    expectTypeOf<number | boolean>().not.toExtend<DeadLetterSelection>()
    // @ts-expect-error an empty filter selects nothing
    const empty: DeadLetterSelection = {}
    // @ts-expect-error there is no such field
    const unknown: DeadLetterSelection = { topic: 'orders.place', nosuch: 1 }
    void [empty, unknown]
  })
})
