import { H3, serve } from 'h3'
import { createFetchHandler } from 'hooklayer/fetch'
import { createScenarioReceiver } from '../../receiver-under-test.ts'

const handle = createFetchHandler(createScenarioReceiver(), { background: () => {} })

const app = new H3()
app.all('/webhooks', (event) => handle(event.req))
const server = serve(app, { port: 0, hostname: '127.0.0.1', silent: true })
await server.ready()
console.log(new URL('/webhooks', server.url).href)
