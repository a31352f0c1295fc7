import { SetMetadata } from '@nestjs/common'
import { type DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core'
import type { TopicsOf } from '../drivers.ts'
import type { Handler, HandlerContext, HandlerOptions, ResourceOf, TopicPattern, WebhookEvent } from '../index.ts'

/** What `on` of a receiver is given. */
interface Registration {
  readonly topics: string | readonly string[]
  readonly options: HandlerOptions
}

/** A decorated method of an instance. */
export interface WebhookMethod extends Registration {
  readonly handler: Handler<string, string>
}

/**
 * What a method has to be that takes another event. No method is: the compiler options of Nest's starter would accept
 * one that takes a part of the events.
 */
interface MethodTaking<in out Event> {
  readonly takes: Event
}

/** A method that takes such an event, or nothing. */
type Accepting<Method extends (...parameters: never[]) => unknown, Event> = Parameters<Method>['length'] extends 0
  ? Method
  : [Event] extends [Parameters<Method>[0]]
    ? Method
    : MethodTaking<Event>

/** Decorates a method that takes such an event. On any other, the compiler says what the method has to take. */
export type WebhookMethodDecorator<Event> = <Method extends (event: never, context: HandlerContext) => unknown>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<Accepting<Method, Event>>,
) => void

/** Keeps the compiler from taking the paths from the method. `NoInfer` does the same since TypeScript 5.4. */
type Given<Path extends string> = [Path][Path extends unknown ? 0 : never]

const METADATA = 'hooklayer:on-webhook'

/**
 * Makes a method of a provider or a controller the handler of a topic, several topics, all topics of a resource
 * (`orders.*`) or every topic (`*`). It takes what a handler of `receiver.on` takes, and so do the options. A method
 * may be decorated more than once.
 *
 * @example
 * @OnWebhook('orders.place', { include: ['customer'] })
 * async sendToErp({ resource: order }: WebhookEvent<'orders.place', 'customer'>) {
 *   await this.erp.send(order.number, order.customer.email)
 * }
 */
export function OnWebhook<const P extends TopicPattern, const Path extends string = never>(
  topics: P | readonly P[],
  options: HandlerOptions<Path, ResourceOf<TopicsOf<P>>> = {},
): WebhookMethodDecorator<WebhookEvent<TopicsOf<P>, Given<Path>>> {
  return (target, name, descriptor) => {
    if (typeof target === 'function') {
      throw new TypeError(`@OnWebhook is for methods of instances, and ${target.name}.${String(name)} is static.`)
    }
    const registration = { topics, options } as unknown as Registration
    // Decorators are called from the last to the first.
    SetMetadata(METADATA, [registration, ...readRegistrations(descriptor.value)])(target, name, descriptor)
  }
}

/**
 * Finds the decorated methods of all providers and controllers.
 *
 * @throws TypeError if one of them has no instance that lives as long as the application.
 */
export function findWebhookMethods(discovery: DiscoveryService): WebhookMethod[] {
  const scanner = new MetadataScanner()
  const seen = new Set<unknown>()
  return [...discovery.getProviders(), ...discovery.getControllers()].flatMap((wrapper) => {
    const { instance, name } = wrapper
    // A provider with several tokens is there once for each of them.
    if (typeof instance !== 'object' || instance === null || seen.has(instance)) return []
    seen.add(instance)
    const prototype = Object.getPrototypeOf(instance)
    const found = scanner.getAllMethodNames(prototype).flatMap((method) =>
      readRegistrations(prototype[method]).map((registration) => ({
        ...registration,
        handler: ((event, context) => instance[method](event, context)) satisfies WebhookMethod['handler'],
      })),
    )
    if (found.length > 0 && (!wrapper.isDependencyTreeStatic() || wrapper.isTransient)) {
      throw new TypeError(
        `${String(name)} has methods with @OnWebhook, and must be a singleton: no request of Nest's runs.`,
      )
    }
    return found
  })
}

function readRegistrations(method: unknown): readonly Registration[] {
  return typeof method === 'function' ? (new Reflector().get(METADATA, method) ?? []) : []
}
