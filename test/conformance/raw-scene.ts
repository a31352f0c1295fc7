import type { ReceiverOptions } from 'hooklayer'
import { orderText, signed, withHeaders } from './deliveries.ts'
import { connect, type RawClient } from './raw-client.ts'
import type { Scene, Stage } from './scene.ts'

export const MEGABYTE = 1024 * 1024

export const order = signed('orders.place', orderText({ name: 'Zoë 🛒' }))
export const unsigned = withHeaders(order, { 'x-commercelayer-signature': undefined })
export const HANDLED = { status: 200, body: '{"outcome":"handled"}' }

/** A scene with a connection to it. */
interface RawScene extends Scene {
  readonly client: RawClient
  /** The bodies that the handler of orders saw. */
  readonly handled: Buffer[]
}

export async function open({ serve }: Stage, options: Partial<ReceiverOptions> = {}): Promise<RawScene> {
  const scene = await serve(options)
  const handled: Buffer[] = []
  scene.receiver.on('orders.place', ({ rawBody }) => handled.push(Buffer.from(rawBody)))
  return { ...scene, client: await connect(scene.url), handled }
}
