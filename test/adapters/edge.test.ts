import { describe, expect, it } from 'vitest'
import { bundleText } from '../contracts/adapter/bundle.ts'

const RECEIVER = "export { createReceiver, parse, verify } from 'hooklayer'"

describe('a bundle of the package for a platform without Node', () => {
  it.each([
    ['hooklayer and hooklayer/fetch', "export { createFetchHandler } from 'hooklayer/fetch'", ['workerd', 'worker']],
    [
      'hooklayer and hooklayer/next',
      "export { createRouteHandler } from '../../../src/adapters/next-route.ts'",
      ['edge-light'],
    ],
  ])('of %s contains no module of Node, nor raw-body', async (_, adapter, conditions) => {
    const { text, imports, inputs } = await bundleText(`${RECEIVER}\n${adapter}`, { conditions })
    expect(imports).toEqual([])
    expect(text).not.toMatch(/(from|import|require\()\s*\(?["']node:/)
    expect(inputs.filter((input) => /raw-body|bridge\/(node|aws)/.test(input))).toEqual([])
  })

  it('of hooklayer/next for edge is the one that package.json gives it', async () => {
    const { default: manifest } = await import('../../package.json', { with: { type: 'json' } })
    const { default: config } = await import('../../tsup.config.ts')
    expect(manifest.exports['./next']['edge-light'].default).toBe('./dist/next-edge.js')
    expect(config).toMatchObject({ entry: { 'next-edge': 'src/adapters/next-route.ts' } })
  })
})
