/**
 * What `@OnWebhook` accepts and refuses. It is compiled strictly here, and in an application by the options of Nest's
 * starters, which are not strict: parameters of functions are compared in both directions there.
 */
import type { HandlerContext, WebhookEvent } from 'hooklayer'
import { HooklayerModule, OnWebhook } from 'hooklayer/nestjs'

export class Handlers {
  @OnWebhook('orders.place')
  exact({ resource: order }: WebhookEvent<'orders.place'>, { signal }: HandlerContext) {
    // @ts-expect-error an order has no such attribute
    order.nothing_of_the_kind
    // @ts-expect-error it was not included
    order.customer.email
    return [order.number, signal.aborted]
  }

  @OnWebhook('orders.place', { include: ['customer', 'line_items.item'], name: 'erp' })
  included({ resource: order }: WebhookEvent<'orders.place', 'customer' | 'line_items.item'>) {
    return [order.customer.email, order.line_items.length]
  }

  @OnWebhook('orders.place')
  none() {}

  @OnWebhook(['orders.place', 'orders.create'])
  async several({ topic, id }: { topic: 'orders.place' | 'orders.create'; id: string }) {
    return [topic, id]
  }

  @OnWebhook('*')
  every(event: WebhookEvent) {
    return event.id
  }

  // @ts-expect-error it is called with an order
  @OnWebhook('orders.place')
  otherTopic(event: WebhookEvent<'customers.create'>) {
    return event.id
  }

  // @ts-expect-error it is called with other events of orders, too
  @OnWebhook('orders.*')
  narrow(event: WebhookEvent<'orders.place'>) {
    return event.id
  }

  // @ts-expect-error the customer is not included
  @OnWebhook('orders.place')
  notIncluded(event: WebhookEvent<'orders.place', 'customer'>) {
    return event.id
  }

  // @ts-expect-error an order has no such relationship
  @OnWebhook('orders.place', { include: ['custmer'] })
  misspelled() {}

  // @ts-expect-error a handler has no such parameter
  @OnWebhook('orders.place')
  more(event: WebhookEvent<'orders.place'>, context: HandlerContext, more: string) {
    return [event, context, more]
  }
}

class Vault {
  readonly secret: string = 'secret'
}

export const imports = [
  HooklayerModule.forRoot({ secrets: 'secret', path: '/webhooks' }),
  HooklayerModule.forRootAsync({ inject: [Vault], useFactory: ({ secret }: Vault) => ({ secrets: secret }) }),
  // @ts-expect-error there is no such option
  HooklayerModule.forRoot({ secrets: 'secret', nosuch: true }),
  // @ts-expect-error secrets are needed
  HooklayerModule.forRoot({ path: '/webhooks' }),
]
