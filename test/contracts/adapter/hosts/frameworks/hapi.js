import Hapi from '@hapi/hapi'
import { createNodeListener } from 'hooklayer/node'
import { createScenarioReceiver } from '../../receiver-under-test.ts'

const listener = createNodeListener(createScenarioReceiver())

const server = Hapi.server({ port: 0, host: '127.0.0.1' })
server.route({
  method: '*',
  path: '/webhooks',
  options: { payload: { output: 'stream', parse: false, maxBytes: Number.MAX_SAFE_INTEGER } },
  async handler({ raw }, h) {
    await listener(raw.req, raw.res)
    return h.abandon
  },
})
await server.start()
console.log(`${server.info.uri}/webhooks`)
