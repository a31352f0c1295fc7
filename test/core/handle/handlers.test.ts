import { describe, expect, it } from 'vitest'
import { TOPICS } from '../../../src/commerce-layer/topics.ts'
import { createHandlers, type Handler } from '../../../src/core/handle/handlers.ts'
import { createSecrets, type SecretsOption } from '../../../src/core/verify/secrets.ts'
import { TEST_SECRET } from '../../../src/core/verify/test-secret.ts'
import { recordingLogger, SECRET } from '../../deliveries.ts'

const EVERY_ORDER = Object.fromEntries(TOPICS.orders.map((event) => [`orders.${event}`, SECRET]))
const doNothing: Handler = () => {}

function createTestHandlers(secrets: SecretsOption) {
  const { logger, lines, messages } = recordingLogger()
  return { handlers: createHandlers(createSecrets(secrets), logger), lines, messages }
}

describe('the handlers of a topic', () => {
  const { handlers } = createTestHandlers(() => SECRET)
  const [place, list, all, customers, unknown]: Handler[] = [() => 1, () => 2, () => 3, () => 4, () => 5]
  if (place) handlers.add('orders.place', {}, place)
  if (list) handlers.add(['orders.pay', 'orders.place', 'orders.place', 'orders.*'], {}, list)
  if (all) handlers.add('*', {}, all)
  if (customers) handlers.add('customers.*', {}, customers)
  if (unknown) handlers.add('novelties.appear', {}, unknown)

  const findHandlers = (topic: string) => handlers.forTopic(topic).map(({ handler }) => handler)

  it('are those registered for it, its resource or every topic, each once and in order', () => {
    expect(findHandlers('orders.place')).toEqual([place, list, all])
    expect(findHandlers('orders.cancel')).toEqual([list, all])
    expect(findHandlers('customers.create')).toEqual([all, customers])
  })

  it('can be registered for topics that are not in the catalogue', () => {
    expect(findHandlers('novelties.appear')).toEqual([all, unknown])
    expect(findHandlers('customers.novelty')).toEqual([all, customers])
  })

  it('are an empty list for a topic without a handler, even if objects inherit its name', () => {
    const { handlers } = createTestHandlers(() => SECRET)
    for (const topic of ['orders.place', 'constructor.name', 'to.string']) expect(handlers.forTopic(topic)).toEqual([])
  })

  it('are found for any number of topics, and include handlers that are registered later', () => {
    const { handlers } = createTestHandlers(() => SECRET)
    handlers.add('*', {}, doNothing)
    for (let i = 0; i < 2100; i++) expect(handlers.forTopic(`novelties.number_${i}`)).toHaveLength(1)
    handlers.add('orders.*', {}, doNothing)
    expect(handlers.forTopic('orders.place')).toHaveLength(2)
    handlers.add('orders.place', {}, doNothing)
    expect(handlers.forTopic('orders.place')).toHaveLength(3)
    expect(handlers.forTopic('novelties.number_1')).toHaveLength(1)
  })

  it('include a handler twice if it was registered twice', () => {
    const { handlers } = createTestHandlers(() => SECRET)
    handlers.add('orders.place', {}, doNothing)
    handlers.add('orders.place', {}, doNothing)
    expect(handlers.forTopic('orders.place').map(({ handler }) => handler)).toEqual([doNothing, doNothing])
  })
})

describe('registering a handler throws', () => {
  it.each([
    '',
    'orders',
    'orders.',
    '.place',
    '*.place',
    '*.*',
    'orders.place.now',
    'Orders.place',
    'orders.pl*',
    '**',
    ' orders.place',
    undefined,
    null,
    1,
    ['orders.place'],
  ])('for %j, which is not a topic pattern', (pattern) => {
    const { handlers } = createTestHandlers(SECRET)
    expect(() => handlers.add([pattern as string], {}, doNothing)).toThrow(TypeError)
    expect(() => handlers.add(['orders.place', pattern as string], {}, doNothing)).toThrow(/orders\.place/)
    expect(handlers.forTopic('orders.place')).toEqual([])
  })

  it('for an empty list of topics', () => {
    expect(() => createTestHandlers(SECRET).handlers.add([], {}, doNothing)).toThrow(TypeError)
  })

  it.each([undefined, null, {}, 'handler'])('when the handler is %j', (handler) => {
    const { handlers } = createTestHandlers(SECRET)
    expect(() => handlers.add('orders.place', {}, handler as never)).toThrow(/orders\.place.*function/)
    expect(() => handlers.add('orders.place', {}, handler as never)).toThrow(TypeError)
    expect(handlers.forTopic('orders.place')).toEqual([])
  })
})

describe('registering a handler warns', () => {
  const collectWarnings = (secrets: SecretsOption, ...patterns: (string | string[])[]) => {
    const { handlers, lines } = createTestHandlers(secrets)
    for (const pattern of patterns) handlers.add(pattern, {}, doNothing)
    for (const { level } of lines) expect(level).toBe('warn')
    return lines
  }

  it('about an unknown resource, and names the known ones', () => {
    for (const pattern of ['order.place', 'order.*', 'parcel_sizes.name']) {
      const [line, ...others] = collectWarnings(() => SECRET, pattern)
      expect(line?.message).toContain(pattern)
      expect(line?.message).toMatch(/orders.*voids/)
      expect(line?.message.includes('Did you mean orders.')).toBe(pattern.startsWith('order.'))
      expect(line?.fields).toEqual({ topic: pattern })
      expect(others).toEqual([])
    }
  })

  it('about an unknown event, and names the known ones', () => {
    const [line, ...others] = collectWarnings(() => SECRET, 'orders.placed')
    expect(line?.message).toMatch(/orders\.placed.*Did you mean orders\.place\?.*place, placing/)
    expect(others).toEqual([])
  })

  it('about a topic that has no secret', () => {
    const [line, ...others] = collectWarnings({ 'orders.place': SECRET }, ['orders.place', 'orders.pay'])
    expect(line?.message).toMatch(/orders\.pay.*no secret/)
    expect(line?.fields).toEqual({ topic: 'orders.pay' })
    expect(others).toEqual([])
  })

  it('once about a secret that several topics share', () => {
    for (const patterns of [
      ['orders.place', 'orders.pay', 'orders.cancel'],
      [['orders.place', 'orders.pay']],
      ['orders.*', '*'],
      ['*'],
    ]) {
      const lines = collectWarnings([SECRET], ...patterns)
      expect(lines.map(({ message }) => message)).toEqual([
        expect.stringMatching(/one secret.*captured delivery can be sent under another/),
      ])
    }
  })

  it('not about the secret of tests, which serves all topics there', () => {
    expect(collectWarnings(TEST_SECRET, 'orders.place', '*')).toEqual([])
    expect(collectWarnings([TEST_SECRET, SECRET], 'orders.place', '*')).toHaveLength(1)
  })

  it('once about each pattern, however often it is registered', () => {
    expect(collectWarnings(() => SECRET, 'orders.placed', 'orders.placed', ['orders.placed'])).toHaveLength(1)
  })

  it.each([
    ['one secret and one topic', SECRET, ['orders.place', 'orders.place']],
    ['a secret for each topic', { 'orders.place': SECRET, 'orders.pay': SECRET }, ['orders.place', 'orders.pay']],
    ['a secret for each topic of a resource pattern', EVERY_ORDER, ['orders.*']],
    ['a map of secrets and a handler of every topic', EVERY_ORDER, ['*']],
    ['secrets that are looked up', () => SECRET, ['orders.place', 'orders.*', '*']],
  ] as [string, SecretsOption, string[]][])('about nothing with %s', (_, secrets, patterns) => {
    expect(collectWarnings(secrets, ...patterns)).toEqual([])
  })
})
