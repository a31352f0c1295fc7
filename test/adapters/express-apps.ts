import type express from 'express'
import type { Express, RequestHandler } from 'express'
import type { Receiver, ReceiverOptions } from 'hooklayer'
import { createExpressMiddleware } from 'hooklayer/express'
import { orderText, signed } from '../conformance/deliveries.ts'
import { listen } from '../conformance/listen.ts'
import { createStage, type Receiving, type Scene, type Start } from '../conformance/scene.ts'

/** Express 5 or 4. */
export type ExpressModule = typeof express

export const PATH = '/webhooks'
export const HANDLED = '{"outcome":"handled"}'
export const order = signed('orders.place', orderText({ name: 'Zoë 🛒' }))

type SetUp = (app: Express, middleware: RequestHandler) => void

/** A scene whose app is set up by hand. */
interface AppScene extends Scene {
  /** The bodies that a handler saw. */
  readonly handled: Buffer[]
}

export interface Apps {
  readonly express: ExpressModule
  /** Another receiver, its handlers still to be registered. */
  serveOther(): Promise<{ readonly receiver: Receiver }>
  serve(setUp: SetUp, options?: Partial<ReceiverOptions>): Promise<AppScene>
  /** With a middleware mounted above the receiver. */
  behind(front: RequestHandler, options?: Partial<ReceiverOptions>): Promise<AppScene>
}

/** The usual set-up. */
export function startOf(express: ExpressModule): Start {
  return (receiver: Receiving) => listen(express().use(PATH, createExpressMiddleware(receiver)), PATH)
}

/** Apps that are closed when the block of tests has ended. */
export function createApps(express: ExpressModule): Apps {
  const stage = createStage(startOf(express))
  async function serve(setUp: SetUp, options: Partial<ReceiverOptions> = {}): Promise<AppScene> {
    const scene = await stage.serve(options, (receiver) => {
      const app = express()
      setUp(app, createExpressMiddleware(receiver))
      return listen(app, PATH)
    })
    const handled: Buffer[] = []
    scene.receiver.on('*', ({ rawBody }) => handled.push(Buffer.from(rawBody)))
    return { ...scene, handled }
  }
  return {
    express,
    serve,
    serveOther: () => stage.serve(),
    behind: (front, options) => serve((app, middleware) => app.use(front).use(PATH, middleware), options),
  }
}
