import { Injectable, Logger } from '@nestjs/common'
import type { WebhookEvent } from 'hooklayer'
import { OnWebhook } from 'hooklayer/nestjs'

@Injectable()
export class OrderHandlers {
  private readonly logger = new Logger(OrderHandlers.name)

  @OnWebhook('orders.place', { include: ['customer'] })
  place({ resource: order }: WebhookEvent<'orders.place', 'customer'>) {
    this.logger.log(`${order.customer.email} placed order ${order.number}`)
  }
}
