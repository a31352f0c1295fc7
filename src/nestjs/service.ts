import type {
  BeforeApplicationShutdown,
  OnApplicationBootstrap,
  OnApplicationShutdown,
  OnModuleInit,
} from '@nestjs/common'
import type { DiscoveryService, HttpAdapterHost } from '@nestjs/core'
import { createReceiver, createWorker, type Receiver, type Worker } from '../index.ts'
import { mountReceiver } from './mount.ts'
import { findWebhookMethods } from './on-webhook.ts'
import { type CheckedModuleOptions, checkModuleOptions, type HooklayerModuleOptions } from './options.ts'

/**
 * The receiver of {@link HooklayerModule}, to be injected. It starts and stops with the application, so do not call the
 * methods that Nest calls.
 *
 * @example
 * constructor(private readonly hooklayer: HooklayerService) {}
 *
 * redeliver(order: unknown) {
 *   return this.hooklayer.receiver.redeliver('orders.place', order)
 * }
 */
export class HooklayerService
  implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  readonly receiver: Receiver
  readonly #options: CheckedModuleOptions
  readonly #discovery: DiscoveryService
  readonly #mount: () => void
  #worker: Worker | undefined

  constructor(options: HooklayerModuleOptions, host: HttpAdapterHost, discovery: DiscoveryService) {
    this.#options = checkModuleOptions(options)
    this.receiver = createReceiver(this.#options.receiver)
    this.#discovery = discovery
    let isMounted = false
    this.#mount = () => {
      if (isMounted || !host.httpAdapter) return
      isMounted = true
      mountReceiver(host, this.#options.path, this.receiver)
    }
    this.#mount()
    // A testing module has no server yet. `init$` is there since Nest 11.
    host.init$?.subscribe(this.#mount)
  }

  /** Registers the decorated methods. */
  onModuleInit(): void {
    this.#mount()
    for (const { topics, options, handler } of findWebhookMethods(this.#discovery)) {
      this.receiver.on(topics, options, handler)
    }
  }

  /** Starts the worker, once all handlers are registered. */
  onApplicationBootstrap(): void {
    const { worker } = this.#options
    if (worker) this.#worker = createWorker({ ...worker, receiver: this.receiver })
  }

  /** Stops the worker while what its handlers use is still there. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#worker?.stop({ timeoutMs: this.#options.stopTimeoutMs })
  }

  /** Waits for the handlers of the last requests. The server is closed by then. */
  async onApplicationShutdown(): Promise<void> {
    await this.receiver.close()
    await this.#options.inbox?.close?.()
  }
}
