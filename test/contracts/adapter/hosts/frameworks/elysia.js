import { Elysia } from 'elysia'
import { createFetchHandler } from 'hooklayer/fetch'
import { createScenarioReceiver } from '../../receiver-under-test.ts'

const handle = createFetchHandler(createScenarioReceiver(), { background: () => {} })

const app = new Elysia().all('/webhooks', ({ request }) => handle(request), { parse: 'none' })
app.listen({ port: 0, hostname: '127.0.0.1' })
console.log(new URL('/webhooks', app.server?.url).href)
