import { describe, expect, it } from 'vitest'
import { bundleText } from '../contracts/adapter/bundle.ts'
import { packPackage } from '../package/pack.ts'

const RECEIVER = "export { createReceiver, parse, verify } from 'hooklayer'"
const FETCH = `${RECEIVER}\nexport { createFetchHandler } from 'hooklayer/fetch'`
const RESPONDER = `${FETCH}\nexport { createResponder } from 'hooklayer/responder'`
const NEXT = `${RECEIVER}\nexport { createRouteHandler } from 'hooklayer/next'`

/** What only the Node half of the platform does: hashes by `node:crypto`, text by `node:buffer`, shared timers. */
const NODE_ONLY = /getBuiltinModule|createHmac|createHash|latin1Slice|BoundedReadings/

const packed = await packPackage()

describe('a bundle of the package for a platform without Node', () => {
  it.each([
    ['hooklayer and hooklayer/fetch', FETCH, ['workerd', 'worker']],
    ['hooklayer and hooklayer/fetch', FETCH, ['edge-light']],
    ['hooklayer and hooklayer/next', NEXT, ['edge-light']],
    ['hooklayer/responder and hooklayer/fetch', RESPONDER, ['workerd', 'worker']],
    ['hooklayer/responder and hooklayer/fetch', RESPONDER, ['edge-light']],
  ])('of %s contains no module of Node, nor code that only Node needs', async (_, contents, conditions) => {
    const { text, imports } = await bundleText(contents, { conditions, packed })
    expect(imports).toEqual([])
    expect(text).not.toMatch(/(from|import|require\()\s*\(?["']node:/)
    expect(text).not.toMatch(/raw-body|IncomingMessage/)
    expect(text).not.toMatch(NODE_ONLY)
  })

  it('of hooklayer and hooklayer/fetch finds out at run time what the platform has, where no condition says it', async () => {
    const { text, imports } = await bundleText(FETCH, { conditions: ['import'], packed })
    expect(imports).toEqual([])
    expect(text).toMatch(/getBuiltinModule/)
    expect(text).toMatch(/BoundedReadings/)
  })

  it('holds one copy of what several entries share', async () => {
    const contents = `${FETCH}\nexport { createDelivery } from 'hooklayer/testing'\nexport { isWebhookError } from 'hooklayer'`
    const { text } = await bundleText(contents, { conditions: ['workerd'], packed })
    expect(text.match(/class extends Error/g)).toHaveLength(1) // WebhookError
  })
})
