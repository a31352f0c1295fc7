import { describe, expect, it } from 'vitest'
import { createSecrets, type SecretsOption } from '../../../src/core/verify/secrets.ts'
import { OTHER_SECRET, rejection, SECRET, thrownBy } from '../../deliveries.ts'

const THIRD_SECRET = '5c0e7ab9d3f142688b1790a4c6d2e7f3'

const texts = (secrets: readonly { readonly text: string }[]) => secrets.map(({ text }) => text)

describe('a secret for all topics', () => {
  it('is accepted for every topic', () => {
    const secrets = createSecrets(SECRET)
    expect(secrets.lookUp('orders.place')).toEqual([{ text: SECRET, labels: [] }])
    expect(secrets).toMatchObject({ isShared: true })
    expect(secrets.hasNoSecret('orders.place')).toBe(false)
    expect(secrets.secretsOfOtherTopics('orders.place')).toEqual([])
  })

  it('can be a list, while one secret replaces another', async () => {
    const found = await createSecrets([SECRET, OTHER_SECRET]).lookUp('orders.place')
    expect(texts(found)).toEqual([SECRET, OTHER_SECRET])
  })
})

describe('a map of secrets by topic', () => {
  const secrets = createSecrets({ 'orders.place': SECRET, 'orders.pay': [OTHER_SECRET, THIRD_SECRET] })

  it('gives a secret for its topic and for no other', async () => {
    expect(texts(await secrets.lookUp('orders.place'))).toEqual([SECRET])
    expect(texts(await secrets.lookUp('orders.pay'))).toEqual([OTHER_SECRET, THIRD_SECRET])
    expect(secrets.lookUp('orders.cancel')).toEqual([])
    expect(secrets).toMatchObject({ isShared: false })
  })

  it('says which topics lack a secret', () => {
    expect(secrets.hasNoSecret('orders.place')).toBe(false)
    expect(secrets.hasNoSecret('orders.cancel')).toBe(true)
  })

  it('gives the secrets of the other topics', () => {
    expect(secrets.secretsOfOtherTopics('orders.place')).toEqual([OTHER_SECRET, THIRD_SECRET])
    expect(secrets.secretsOfOtherTopics('orders.pay')).toEqual([SECRET])
    expect(secrets.secretsOfOtherTopics('orders.cancel')).toEqual([SECRET, OTHER_SECRET, THIRD_SECRET])
  })

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'has no secret for %s, which every object inherits',
    (topic) => {
      expect(secrets.lookUp(topic)).toEqual([])
      expect(secrets.hasNoSecret(topic)).toBe(true)
    },
  )
})

describe('a look-up function for secrets', () => {
  it.each([
    ['one secret', () => SECRET, [SECRET]],
    ['a promise of one', async () => SECRET, [SECRET]],
    ['several', () => [SECRET, OTHER_SECRET], [SECRET, OTHER_SECRET]],
    ['none', () => undefined, []],
    ['an empty list', () => [], []],
    ['empty secrets beside a good one', () => ['', undefined, SECRET], [SECRET]],
    ['an empty secret', () => '', []],
  ] satisfies [string, SecretsOption & ((topic: string) => unknown), string[]][])(
    'may give %s',
    async (_, lookUp, found) => {
      expect(texts(await createSecrets(lookUp).lookUp('orders.place'))).toEqual(found)
    },
  )

  it('is called with the topic, and says nothing about other topics', async () => {
    const secrets = createSecrets(async (topic) => `the secret of ${topic}`)
    expect(texts(await secrets.lookUp('orders.pay'))).toEqual(['the secret of orders.pay'])
    expect(secrets.secretsOfOtherTopics('orders.place')).toEqual([])
    expect(secrets.hasNoSecret('orders.place')).toBe(false)
    expect(secrets).toMatchObject({ isShared: false })
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('vault')
      },
    ],
    ['rejects', () => Promise.reject(new Error('vault'))],
  ] satisfies [string, SecretsOption][])('causes STORE_UNAVAILABLE when it %s', async (_, lookUp) => {
    const error = await rejection((async () => createSecrets(lookUp).lookUp('orders.place'))())
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true, cause: new Error('vault') })
  })

  it('gives no secret when the one that it finds is blank, because anybody could sign with it', async () => {
    for (const blank of ['\n', ' ', '\r\n']) {
      expect(await createSecrets(() => blank).lookUp('orders.place')).toEqual([])
      expect(await createSecrets(() => [blank]).lookUp('orders.place')).toEqual([])
    }
  })

  it('gives no secret when it finds null', async () => {
    expect(await createSecrets((() => null) as never).lookUp('orders.place')).toEqual([])
  })
})

describe('createSecrets', () => {
  const REFUSED: [string, unknown, RegExp][] = [
    ['empty', '', /empty/],
    ['blank', ' \n', /empty/],
    ['followed by a line break', 's3cr3t\n', /whitespace/],
    ['preceded by a space', ' s3cr3t', /whitespace/],
    ['between line breaks', '\r\ns3cr3t\r\n', /whitespace/],
    ['not set', undefined, /is not set/],
    ['null in a list', [null], /is not set/],
    ['an empty list', [], /empty/],
    ['a list with an empty one', [SECRET, ''], /empty/],
    ['a list with one that is not set', [SECRET, undefined], /is not set/],
    ['a number', 12345, /string/],
    ['a list of numbers', [12345], /string/],
    ['true', true, /string/],
    ['bytes in a list', [Buffer.from('s3cr3t')], /string/],
  ]

  it.each(REFUSED)('refuses a secret that is %s, and does not quote it', (_, secret, message) => {
    for (const option of [secret, { 'orders.place': secret }]) {
      const error = thrownBy(() => createSecrets(option as SecretsOption))
      expect(error).toBeInstanceOf(TypeError)
      expect(error).toMatchObject({ message: expect.stringMatching(message) })
      expect(String(error)).not.toMatch(/s3cr3t|12345/)
    }
  })

  it.each(REFUSED)('names the topic of a secret that is %s', (_, secret) => {
    const option = { 'orders.pay': SECRET, 'orders.place': secret } as SecretsOption
    expect(() => createSecrets(option)).toThrow('orders.place')
  })

  it('never says that a secret is not set without the name of its variable', () => {
    expect(() => createSecrets({ 'line_items.create': undefined } as never)).toThrow(
      "`secrets['line_items.create']` is not set. Is its environment variable set, such as `CL_SECRET_LINE_ITEMS__CREATE`?",
    )
  })

  it('refuses a map that has no topic', () => {
    expect(() => createSecrets({})).toThrow(TypeError)
    expect(() => createSecrets({})).toThrow(/empty|no topic/)
  })

  it.each([
    ['null', null, /is not set/],
    ['a map of its own', { place: 's3cr3t' }, /string/],
  ])('refuses a secret in a map that is %s, and says why', (_, secret, message) => {
    expect(() => createSecrets({ 'orders.place': secret } as never)).toThrow(TypeError)
    expect(() => createSecrets({ 'orders.place': secret } as never)).toThrow(message)
  })
})

describe('fixed secrets', () => {
  it.each([[SECRET], [[SECRET]], [{ 'orders.place': SECRET }]])(
    'give no new secrets when they are refreshed: %j',
    (option) => {
      expect(createSecrets(option as SecretsOption).refresh('orders.place')).toEqual([])
    },
  )
})
