import { createRouteHandler } from 'hooklayer/next'
import { receiver } from '../receiver'

export const POST = createRouteHandler(receiver)
