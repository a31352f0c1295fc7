import { createReceiver, type ReceiverOptions } from 'hooklayer'
import { TEST_SECRET } from 'hooklayer/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { checkSecret, checkSecrets } from '../../../src/core/verify/check-secret.ts'
import { CART, delivery, OTHER_SECRET, recordingLogger, SECRET, thrownBy } from '../../deliveries.ts'

afterEach(() => vi.unstubAllEnvs())

const ZERO_WIDTH = '\u200b'

/** What a shop has set by mistake, and a word of the reason. Nothing of it is in a message. */
const WEAK: [string, string, RegExp][] = [
  ['a single character', 'x', /shorter than 16/],
  ['a well-known word', 'changeme', /shorter than 16/],
  ['15 characters', 'c7d2e9a41b80f36', /shorter than 16/],
  ['15 characters and a mark that is drawn over one', 'c7d2e9a41b80f36\u0301', /shorter than 16/],
  ['nothing but marks', '\u0301'.repeat(32), /shorter than 16/],
  ['undefined', 'undefined', /missing/],
  ['null', 'null', /missing/],
  ['NaN', 'NaN', /missing/],
  ['an object', '[object Object]', /missing/],
  ['a promise', '[object Promise]', /missing/],
  ['several missing values', 'undefined,undefined', /missing/],
  ['a missing value in a template', 'undefined-undefined-null', /missing/],
  ['text in double quotes', `"${SECRET}"`, /in quotes/],
  ['text in single quotes', `'${SECRET}'`, /in quotes/],
  ['text in typographic quotes', `“${SECRET}”`, /in quotes/],
  ['text with one quote', `${SECRET}"`, /in quotes/],
  ['a zero-width space', ZERO_WIDTH, /cannot be seen/],
  ['many zero-width spaces', ZERO_WIDTH.repeat(32), /cannot be seen/],
  ['a zero-width space at the end', `${SECRET}${ZERO_WIDTH}`, /cannot be seen/],
  ['a soft hyphen inside', `${SECRET}\u00ad${SECRET}`, /cannot be seen/],
  ['a control character inside', `${SECRET}\0${SECRET}`, /cannot be seen/],
  ['a no-break space inside', `${SECRET}\u00a0${SECRET}`, /cannot be seen/],
  ['a line break inside', `${SECRET}\n${SECRET}`, /cannot be seen/],
  ['half a surrogate pair', `${SECRET}\ud83d`, /cannot be seen/],
  ['a Hangul filler', `${SECRET}\u3164`, /cannot be seen/],
  ['an empty Braille cell', `${SECRET}\u2800`, /cannot be seen/],
]

describe('a receiver is not made with a secret that anybody can guess', () => {
  it.each(WEAK)('%s', (_, secret, reason) => {
    const labelled = { secret, organizationId: 'wRPpEFOElR' }
    for (const secrets of [secret, [SECRET, secret], { 'orders.place': secret }, labelled, [labelled]]) {
      const error = thrownBy(() => createReceiver({ secrets }))
      expect(error).toBeInstanceOf(TypeError)
      expect(error).toMatchObject({ message: expect.stringMatching(reason) })
      if (secret.length > 15) expect(String(error)).not.toContain(secret)
    }
  })

  it('the published TEST_SECRET in production, and only there', () => {
    for (const environment of ['production', 'development', 'test', '', undefined]) {
      vi.stubEnv('NODE_ENV', environment)
      const make = () => createReceiver({ secrets: { 'orders.place': TEST_SECRET } })
      if (environment === 'production') expect(make).toThrow(/TEST_SECRET.*production/)
      else expect(make).not.toThrow()
    }
  })

  it('and is made with one that has 16 characters or more', () => {
    for (const secret of [
      'c7d2e9a41b80f365',
      SECRET,
      'a passphrase of several words',
      'grüße an alle Läden 👍',
      'it is "quoted" inside',
    ]) {
      expect(() => createReceiver({ secrets: secret })).not.toThrow()
    }
  })
})

describe('a secret that a function answers and anybody can guess', () => {
  it.each(WEAK)('does not verify a delivery: %s', async (_, secret, reason) => {
    for (const secrets of [() => secret, async () => [secret]]) {
      const { logger, lines } = recordingLogger()
      const receiver = createReceiver({ secrets, logger }).on('orders.place', () => {})
      const { status, body } = await receiver.receive(delivery('orders.place', CART, secret))
      expect(status).toBe(401)
      const errors = lines.filter(({ level }) => level === 'error')
      expect(errors).toEqual([
        { level: 'error', message: expect.stringMatching(/orders\.place/), fields: { topic: 'orders.place' } },
      ])
      expect(errors[0]?.message).toMatch(reason)
      if (secret.length > 15) expect(JSON.stringify([lines, body])).not.toContain(secret)
      expect(body).not.toMatch(/guess|quotes|missing|seen/)
    }
  })

  it('does not keep a good one beside it from verifying', async () => {
    const { logger, messages } = recordingLogger()
    const receiver = createReceiver({ secrets: () => ['changeme', SECRET], logger })
    expect((await receiver.receive(delivery('orders.place', CART))).status).toBe(200)
    expect(messages()).toEqual([expect.stringMatching(/shorter than 16/), 'orders.place ignored'])
  })

  it('is logged once a minute for a topic with a handler, and once for all made-up topics together', async () => {
    const { logger, lines } = recordingLogger()
    const receiver = createReceiver({ secrets: () => 'undefined', logger }).on('orders.place', () => {})
    for (let i = 0; i < 500; i += 1) {
      await receiver.receive(delivery('orders.place', CART))
      await receiver.receive(delivery(`orders.a${i}`, CART))
    }
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(2)
  })

  it('is TEST_SECRET in production', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const { logger, messages } = recordingLogger()
    const receiver = createReceiver({ secrets: () => TEST_SECRET, logger })
    expect((await receiver.receive(delivery('orders.place', CART, TEST_SECRET))).status).toBe(401)
    expect(messages()[0]).toMatch(/TEST_SECRET.*production/)
  })
})

it('a look-up by resource and event does not find what objects inherit', async () => {
  const byResource: Record<string, Record<string, string>> = { orders: { place: SECRET } }
  const secrets = (topic: string) => {
    const [resource = '', event = ''] = topic.split('.')
    return byResource[resource]?.[event]
  }
  const { logger } = recordingLogger()
  const receiver = createReceiver({ secrets, logger }).on('*', () => {})
  expect((await receiver.receive(delivery('orders.place', CART))).status).toBe(200)
  for (const word of Object.getOwnPropertyNames(Object.prototype)) {
    for (const topic of [`${word}.name`, `orders.${word}`, `${word}.${word}`]) {
      const { status, body } = await receiver.receive(delivery(topic, CART, 'Object'))
      expect([topic, status, JSON.parse(body).error.code]).toEqual([topic, 400, 'TOPIC_INVALID'])
    }
  }
  expect((await receiver.receive(delivery('orders.constructor_name', CART, 'Object'))).status).toBe(401)
})

describe('the label of a secret', () => {
  const refuse = (label: object) => thrownBy(() => checkSecret({ secret: SECRET, ...label }, 'secrets'))

  it.each([
    ['another spelling', { organisationId: 'wRPpEFOElR' }, /no option `organisationId`. Did you mean `organizationId`/],
    ['an organization that is not set', { organizationId: undefined }, /`secrets`: `organizationId` must be text/],
    ['an empty organization', { organizationId: ' ' }, /`secrets`: `organizationId` must be text/],
    ['an organization that is a number', { organizationId: 7 }, /`secrets`: `organizationId` must be text/],
    ['a mode that is not set', { mode: undefined }, /`secrets`: `mode` must be test or live/],
    ['another mode', { mode: 'sandbox' }, /`secrets`: `mode` must be test or live/],
  ])('is not dropped when it is wrong: %s', (_, label, message) => {
    expect(refuse(label)).toBeInstanceOf(TypeError)
    expect(refuse(label)).toMatchObject({ message: expect.stringMatching(message) })
  })

  it('may be left out', () => {
    expect(checkSecret({ secret: SECRET }, 'secrets')).toEqual({ text: SECRET, labels: [] })
  })

  it('is one of several for a text that stands in a list more than once', () => {
    const a = { organizationId: 'AAAAAAAAAA' }
    const b = { organizationId: 'BBBBBBBBBB', mode: 'live' } as const
    const list = [
      { secret: SECRET, ...a },
      { secret: OTHER_SECRET, ...a },
      { secret: SECRET, ...b },
    ]
    expect(checkSecrets(list, 'secrets')).toEqual([
      { text: SECRET, labels: [a, b] },
      { text: OTHER_SECRET, labels: [a] },
    ])
    expect(checkSecrets([...list, SECRET], 'secrets')[0]).toEqual({ text: SECRET, labels: [] })
  })

  it('is told apart from a map by topic', () => {
    const secrets: ReceiverOptions['secrets'] = { secret: SECRET, mode: 'live' }
    expect(() => createReceiver({ secrets })).not.toThrow()
    expect(() => createReceiver({ secrets: { secret: undefined, mode: 'live' } })).toThrow(/`secrets` is not set/)
  })
})
