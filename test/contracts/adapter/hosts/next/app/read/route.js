import { createRouteHandler } from 'hooklayer/next'
import { createScenarioReceiver } from '../../receiver.js'

const receive = createRouteHandler(createScenarioReceiver())

export async function POST(request) {
  await request.json().catch(() => {})
  return receive(request)
}
