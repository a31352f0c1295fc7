import { readFileSync } from 'node:fs'
import { webhooks } from '@commercelayer/sdk'
import { createManagement } from 'hooklayer/management'
import { afterEach, describe, expect, it, vi } from 'vitest'

/**
 * The version of the SDK whose protected member `createAdapter` in src/management/client/client.ts was checked with.
 */
const CHECKED_VERSION = '7.12.1'

const { version } = JSON.parse(readFileSync('node_modules/@commercelayer/sdk/package.json', 'utf8'))

const create = () => createManagement({ organization: 'shop', accessToken: 'none' })

afterEach(() => {
  vi.restoreAllMocks()
})

describe(`the protected member \`resources\` of @commercelayer/sdk ${version}`, () => {
  it(`was checked with ${CHECKED_VERSION}, which is the installed version`, () => {
    const advice = `Check createAdapter (src/management/client/client.ts) with ${version}, then write it here and there`
    expect(version, advice).toBe(CHECKED_VERSION)
  })

  it('holds an adapter whose class makes another adapter', () => {
    create()
    const missing = `@commercelayer/sdk ${version} has no \`webhooks.resources\`: createAdapter needs another way`
    expect(Reflect.has(webhooks, 'resources'), missing).toBe(true)
    const adapter: object = Reflect.get(webhooks, 'resources')
    expect(adapter, missing).toMatchObject({ constructor: expect.any(Function) })
    const Adapter = adapter.constructor as new (options: object) => object
    expect(new Adapter({ organization: 'another', accessToken: 'none' })).not.toBe(adapter)
  })

  it('is reported when it is not there', () => {
    const prototype = findOwner(webhooks, 'resources')
    vi.spyOn(prototype, 'resources', 'get').mockReturnValue(undefined)
    expect(create).toThrow(`The installed version of @commercelayer/sdk is not supported: install ${CHECKED_VERSION}.`)
  })
})

/** Finds the prototype that defines a property. */
function findOwner(start: object, name: string): { resources: unknown } {
  let owner = start
  while (!Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner)
  return owner as { resources: unknown }
}
