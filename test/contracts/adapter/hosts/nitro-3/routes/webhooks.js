import { createFetchHandler } from 'hooklayer/fetch'
import { defineHandler } from 'nitro/h3'
import { createScenarioReceiver } from '../receiver.js'

const handle = createFetchHandler(createScenarioReceiver(), { background: () => {} })

// biome-ignore lint/style/noDefaultExport: Nitro looks for it
export default defineHandler((event) => handle(event.req))
