import { createApiHandler } from 'hooklayer/next'
import { createStage } from '../../stage.js'

// biome-ignore lint/style/noDefaultExport: Next asks for it
export default createApiHandler(createStage())
