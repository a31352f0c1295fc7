import type { RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import express from 'express'
import { createExpressMiddleware } from 'hooklayer/express'
import type { createLambdaHandler } from 'hooklayer/lambda'
import { HooklayerService } from 'hooklayer/nestjs'
import { testAdapter } from '../contracts/adapter/adapter.ts'
import { type Limitations, type Listening, NO_BACKGROUND } from '../contracts/adapter/host.ts'
import { EVENTS, type MakeEvent } from '../contracts/adapter/lambda-events.ts'
import { startLambda } from '../contracts/adapter/lambda-front.ts'
import { createScenarioReceiver } from '../contracts/adapter/receiver-under-test.ts'
import { fixtureFolder, installFixture } from '../fixtures/install.ts'
import { createApp, withSecrets } from '../nestjs/apps.ts'

type LambdaHandler = ReturnType<typeof createLambdaHandler>

const missing = await installFixture('frameworks')

const LIMITATIONS: Limitations = {
  ...NO_BACKGROUND,
  'streamed bodies': 'an event has its whole body',
  draining: 'what is in front of a Lambda reads the whole body first',
}

/** The kinds of events that serverless-express knows, and what differs. A function URL sends that of an HTTP API. */
const KINDS: Readonly<Record<string, Limitations>> = {
  'API Gateway, REST (1.0)': {},
  'API Gateway, HTTP (2.0)': {},
  'an Application Load Balancer': {
    'repeated headers': 'a load balancer passes on the last of them, unless told otherwise',
  },
}

for (const [kind, limitations] of Object.entries(KINDS)) {
  testAdapter(`Express in Lambda, behind ${kind}`, () => start(kind, createExpressApp()), {
    missing,
    limitations: { ...LIMITATIONS, ...limitations },
  })
}

testAdapter('Nest in Lambda', async () => start('API Gateway, HTTP (2.0)', await createNestApp()), {
  missing,
  limitations: LIMITATIONS,
})

function createExpressApp(): RequestListener {
  const app = express()
  app.use('/webhooks', createExpressMiddleware(createScenarioReceiver()))
  app.use(express.json())
  return app
}

async function createNestApp(): Promise<RequestListener> {
  const app = await createApp('Express', { imports: [withSecrets()] })
  Object.assign(app.get(HooklayerService).receiver, createScenarioReceiver())
  await app.init()
  return app.getHttpAdapter().getInstance()
}

function start(kind: string, app: RequestListener): Promise<Listening> {
  const require = createRequire(join(fixtureFolder('frameworks'), 'package.json'))
  const serverlessExpress: (options: {
    app: RequestListener
  }) => LambdaHandler = require('@codegenie/serverless-express')
  return startLambda(EVENTS[kind] as MakeEvent, serverlessExpress({ app }))
}
