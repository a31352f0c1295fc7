import type { IncomingMessage, ServerResponse } from 'node:http'
import { createLambdaHandler } from 'hooklayer/lambda'
import type { Listening } from './host.ts'
import type { MakeEvent, Received } from './lambda-events.ts'
import { listen } from './listen.ts'
import { createScenarioReceiver } from './receiver-under-test.ts'

type LambdaHandler = ReturnType<typeof createLambdaHandler>

/**
 * The server in front of a Lambda: it reads a request, makes an event of it, and writes the result as the answer.
 *
 * @param handler Default: that of our own adapter.
 */
export function startLambda(
  makeEvent: MakeEvent,
  handler: LambdaHandler = createLambdaHandler(createScenarioReceiver()),
): Promise<Listening> {
  return listen(async (request, response) => {
    const received = await receive(request).catch(() => undefined)
    if (!received) return
    // Events and results pass through Lambda as JSON.
    const event = JSON.parse(JSON.stringify(makeEvent(received)))
    write(JSON.parse(JSON.stringify(await handler(event))), response)
  })
}

async function receive(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const { method = '', rawHeaders: raw } = request
  const fields = raw.flatMap((name, at) => (at % 2 ? [] : [[name, raw[at + 1] ?? ''] as const]))
  return { method, fields, headers: {}, body: Buffer.concat(chunks) }
}

function write(result: Awaited<ReturnType<LambdaHandler>>, response: ServerResponse): void {
  const { statusCode, headers, multiValueHeaders, body, isBase64Encoded } = result
  response.statusCode = statusCode
  for (const [name, value] of Object.entries({ ...headers, ...multiValueHeaders })) response.setHeader(name, value)
  response.end(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'))
}
