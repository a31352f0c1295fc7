import type express from 'express'
import type { Express, RequestHandler } from 'express'
import type { Receiver, ReceiverOptions } from 'hooklayer'
import { createExpressMiddleware } from 'hooklayer/express'
import type { Listening } from '../contracts/adapter/host.ts'
import { listen } from '../contracts/adapter/listen.ts'
import { createMounts, type Mount } from './mounts.ts'

/** Express 5 or 4. */
export type ExpressModule = typeof express

export const PATH = '/webhooks'

type SetUp = (app: Express, middleware: RequestHandler) => void

export interface Apps {
  readonly express: ExpressModule
  serve(setUp: SetUp, options?: Partial<ReceiverOptions>): Promise<Mount>
  /** With a middleware mounted in front of the receiver. */
  behind(front: RequestHandler, options?: Partial<ReceiverOptions>): Promise<Mount>
}

/** The usual set-up. */
export function startExpress(express: ExpressModule, receiver: Pick<Receiver, 'receive'>): Promise<Listening> {
  return listen(express().use(PATH, createExpressMiddleware(receiver)), PATH)
}

/** Apps that are closed after the block of tests. */
export function createApps(express: ExpressModule): Apps {
  const mount = createMounts()
  const serve: Apps['serve'] = (setUp, options) =>
    mount((receiver) => {
      const app = express()
      setUp(app, createExpressMiddleware(receiver))
      return listen(app, PATH)
    }, options)
  return {
    express,
    serve,
    behind: (front, options) => serve((app, middleware) => app.use(front).use(PATH, middleware), options),
  }
}
