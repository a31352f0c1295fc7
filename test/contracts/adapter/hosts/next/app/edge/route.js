import { createRouteHandler } from 'hooklayer/next'
import { after } from 'next/server'
import { createStage } from '../../stage.js'

export const runtime = 'edge'
export const POST = createRouteHandler(createStage(), { background: after })
