import type { FactoryProvider, ModuleMetadata } from '@nestjs/common'
import { checkMethods, checkOptions, matching, positiveInteger, wrongOption } from '../core/check-options.ts'
import type { Inbox, ReceiverOptions, WorkerOptions } from '../index.ts'

/** The options of {@link HooklayerModule}: those of `createReceiver`, and two more. */
export interface HooklayerModuleOptions extends ReceiverOptions {
  /**
   * Where deliveries are received: exactly this path, whatever the global prefix and the version are. Paths below it
   * stay yours. Default: `/webhooks`.
   */
  readonly path?: string | undefined
  /**
   * Starts a worker for the `inbox` when the application has started: `true`, or its options. Default: none, for
   * example because another process has it.
   */
  readonly worker?: boolean | ModuleWorkerOptions | undefined
}

/** The options of `createWorker`, without those that the module knows. */
export interface ModuleWorkerOptions extends Omit<WorkerOptions, 'receiver' | 'inbox'> {
  /** How long the application waits for running handlers when it shuts down, in milliseconds. Default: 20,000. */
  readonly stopTimeoutMs?: number | undefined
}

/** Options that are made when the application starts, from what Nest injects. */
export interface HooklayerModuleAsyncOptions {
  /** Modules that export what is injected. */
  readonly imports?: ModuleMetadata['imports'] | undefined
  readonly useFactory: (...dependencies: never[]) => HooklayerModuleOptions | Promise<HooklayerModuleOptions>
  /** What the factory is called with, in this order. */
  readonly inject?: FactoryProvider['inject'] | undefined
}

/** The options, taken apart for those who need them. */
export interface CheckedModuleOptions {
  readonly path: string
  readonly receiver: ReceiverOptions
  readonly inbox: Partial<Inbox> | undefined
  /** Absent without a worker. */
  readonly worker: Omit<WorkerOptions, 'receiver'> | undefined
  readonly stopTimeoutMs: number
}

const RULES = { path: matching('/webhooks', /^(\/[\w.~-]+)+$/, 'a path such as /webhooks') }
const WORKER_RULES = { stopTimeoutMs: positiveInteger(20_000) }

/** @throws TypeError if an option of the module is out of range, or there is a worker without an inbox for it. */
export function checkModuleOptions(options: HooklayerModuleOptions): CheckedModuleOptions {
  const { path: givenPath, worker: wanted = false, ...receiver } = options
  const { path } = checkOptions('HooklayerModule', { path: givenPath }, RULES)
  const { stopTimeoutMs: givenTimeout, ...others } = typeof wanted === 'object' ? wanted : {}
  const { stopTimeoutMs } = checkOptions('worker', { stopTimeoutMs: givenTimeout }, WORKER_RULES)
  const { inbox, logger } = receiver
  if (!wanted) return { path, receiver, inbox, worker: undefined, stopTimeoutMs }
  if (!inbox) throw wrongOption('HooklayerModule', 'worker', 'needs an `inbox`')
  checkMethods('inbox', inbox, ['consume'])
  return { path, receiver, inbox, worker: { logger, ...others, inbox: inbox as Inbox }, stopTimeoutMs }
}
