import { createServer } from 'node:http'
import { createApp, createRouter, defineEventHandler, toNodeListener } from 'h3-1'
import { createNodeListener } from 'hooklayer/node'
import { createScenarioReceiver } from '../../receiver-under-test.ts'

const listener = createNodeListener(createScenarioReceiver())

const router = createRouter()
router.use(
  '/webhooks',
  defineEventHandler(({ node }) => listener(node.req, node.res)),
)
const server = createServer(toNodeListener(createApp().use(router)))
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/webhooks`))
