import { createRouteHandler } from 'hooklayer/next'
import { createStage } from '../../stage.js'

const receive = createRouteHandler(createStage())

export async function POST(request) {
  await request.json().catch(() => {})
  return receive(request)
}
