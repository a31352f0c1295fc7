import { createReceiver } from 'hooklayer'
import { createExpressMiddleware } from 'hooklayer/express'
import { createFastifyPlugin } from 'hooklayer/fastify'
import { createFetchHandler } from 'hooklayer/fetch'
import { createKoaMiddleware } from 'hooklayer/koa'
import { createLambdaHandler } from 'hooklayer/lambda'
import { createApiHandler, createRouteHandler } from 'hooklayer/next'
import { createNodeListener } from 'hooklayer/node'
import { expect, it } from 'vitest'
import { SECRET } from '../deliveries.ts'

const ADAPTERS = {
  createApiHandler,
  createExpressMiddleware,
  createFastifyPlugin,
  createFetchHandler,
  createKoaMiddleware,
  createLambdaHandler,
  createNodeListener,
  createRouteHandler,
}

it.each(Object.entries(ADAPTERS))('%s refuses what is no receiver before the first request', (_, create) => {
  // What `require('./receiver')` gives where the file exports `{ receiver }`.
  const exports = { receiver: createReceiver({ secrets: SECRET }) }
  for (const wrong of [undefined, exports]) {
    const make = () => (create as (receiver: unknown) => unknown)(wrong)
    expect(make).toThrow(new TypeError('`receiver` has no method `receive`.'))
  }
})

it.each([
  ['createFetchHandler', createFetchHandler],
  ['createRouteHandler', createRouteHandler],
])('%s refuses options that it does not have', (name, create) => {
  const receiver = createReceiver({ secrets: SECRET })
  const make = (options: object) => () => create(receiver, options)
  expect(make({ backgroud: () => {} })).toThrow(`${name} has no option \`backgroud\`. Did you mean \`background\`?`)
  expect(make({ background: true })).toThrow(`${name}: \`background\` must be a function.`)
  expect(make({ background: undefined })).not.toThrow()
})
