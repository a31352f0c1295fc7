import { createApiHandler } from 'hooklayer/next'
import { createScenarioReceiver } from '../../receiver.js'

// biome-ignore lint/style/noDefaultExport: Next asks for it
export default createApiHandler(createScenarioReceiver())
