import { createRouteHandler } from 'hooklayer/next'
import { after } from 'next/server'
import { createScenarioReceiver } from '../../receiver.js'

export const POST = createRouteHandler(createScenarioReceiver(), { background: after })
