import { createApiHandler } from 'hooklayer/next'
import { createScenarioReceiver } from '../../receiver.js'

export const config = { api: { bodyParser: false } }

// biome-ignore lint/style/noDefaultExport: Next asks for it
export default createApiHandler(createScenarioReceiver())
