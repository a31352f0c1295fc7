export { HooklayerModule } from './module.ts'
export { OnWebhook, type WebhookMethodDecorator } from './on-webhook.ts'
export type { HooklayerModuleAsyncOptions, HooklayerModuleOptions, ModuleWorkerOptions } from './options.ts'
export { HooklayerService } from './service.ts'
