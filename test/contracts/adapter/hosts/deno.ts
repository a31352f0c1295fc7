import { createFetchHandler } from 'hooklayer/fetch'
import { createScenarioReceiver } from '../receiver-under-test.ts'

interface ServeOptions {
  readonly port: number
  readonly hostname: string
  onListen(address: { port: number }): void
}

declare const Deno: { serve(options: ServeOptions, handler: (request: Request) => Promise<Response>): unknown }

const onListen = ({ port }: { port: number }) => console.log(`http://127.0.0.1:${port}/`)
Deno.serve(
  { port: 0, hostname: '127.0.0.1', onListen },
  createFetchHandler(createScenarioReceiver(), { background: () => {} }),
)
