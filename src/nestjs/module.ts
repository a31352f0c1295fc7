import { type DynamicModule, Module } from '@nestjs/common'
import { DiscoveryModule, DiscoveryService, HttpAdapterHost } from '@nestjs/core'
import type { HooklayerModuleAsyncOptions, HooklayerModuleOptions } from './options.ts'
import { HooklayerService } from './service.ts'

const OPTIONS = Symbol.for('hooklayer.nestjs.options')

/**
 * Receives Commerce Layer's webhooks in Nest 10, 11 and 12, on Express and on Fastify. The handlers are the methods
 * with {@link OnWebhook}. Import it once, in the root module; {@link HooklayerService} can be injected everywhere.
 *
 * @example
 * @Module({ imports: [HooklayerModule.forRoot({ secrets: secretsFromEnv() })], providers: [OrderHandlers] })
 * export class AppModule {}
 */
// biome-ignore lint/complexity/noStaticOnlyClass: a module of Nest's is a class.
export class HooklayerModule {
  /** @throws TypeError when the application starts, if an option is unknown or out of range. */
  static forRoot(options: HooklayerModuleOptions): DynamicModule {
    return createModule({ useFactory: () => options })
  }

  /**
   * The same with options that are made when the application starts.
   *
   * @example
   * HooklayerModule.forRootAsync({
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({ secrets: { 'orders.place': config.get('ORDERS_SECRET') } }),
   * })
   */
  static forRootAsync(options: HooklayerModuleAsyncOptions): DynamicModule {
    return createModule(options)
  }
}
Module({})(HooklayerModule)

// Not in the class: the bundler would rename a class that names itself, and Nest logs the name.
function createModule({ imports = [], useFactory, inject = [] }: HooklayerModuleAsyncOptions): DynamicModule {
  return {
    module: HooklayerModule,
    global: true,
    imports: [DiscoveryModule, ...imports],
    providers: [
      { provide: OPTIONS, useFactory, inject },
      {
        provide: HooklayerService,
        useFactory: (options: HooklayerModuleOptions, host: HttpAdapterHost, discovery: DiscoveryService) =>
          new HooklayerService(options, host, discovery),
        inject: [OPTIONS, HttpAdapterHost, DiscoveryService],
      },
    ],
    exports: [HooklayerService],
  }
}
