import { defineEventHandler } from 'h3'
import { createNodeListener } from 'hooklayer/node'
import { createScenarioReceiver } from '../receiver.js'

const listener = createNodeListener(createScenarioReceiver())

// biome-ignore lint/style/noDefaultExport: Nitro looks for it
export default defineEventHandler(({ node }) => listener(node.req, node.res))
