import { describe, expect, it } from 'vitest'
import { TOPICS } from '../../../src/commerce-layer/topics.ts'
import { createHandlers, type Handler } from '../../../src/core/handle/handlers.ts'
import { createSecrets, type SecretsOption } from '../../../src/core/verify/secrets.ts'
import { recordingLogger, SECRET } from '../../deliveries.ts'

const EVERY_ORDER = Object.fromEntries(TOPICS.orders.map((event) => [`orders.${event}`, SECRET]))
const nothing: Handler = () => {}

function handlersWith(secrets: SecretsOption) {
  const { logger, lines, messages } = recordingLogger()
  return { handlers: createHandlers(createSecrets(secrets), logger), lines, messages }
}

describe('the handlers of a topic', () => {
  const { handlers } = handlersWith(() => SECRET)
  const [place, list, all, family, unknown]: Handler[] = [() => 1, () => 2, () => 3, () => 4, () => 5]
  if (place) handlers.add('orders.place', {}, place)
  if (list) handlers.add(['orders.pay', 'orders.place', 'orders.place', 'orders.*'], {}, list)
  if (all) handlers.add('*', {}, all)
  if (family) handlers.add('customers.*', {}, family)
  if (unknown) handlers.add('novelties.appear', {}, unknown)

  const listening = (topic: string) => handlers.forTopic(topic).map(({ handler }) => handler)

  it('are those that listen to it, its resource or everything, each once, as they were registered', () => {
    expect(listening('orders.place')).toEqual([place, list, all])
    expect(listening('orders.cancel')).toEqual([list, all])
    expect(listening('customers.create')).toEqual([all, family])
  })

  it('may listen to topics that the catalogue does not know', () => {
    expect(listening('novelties.appear')).toEqual([all, unknown])
    expect(listening('customers.novelty')).toEqual([all, family])
  })

  it('are none where nobody listens, whatever an object inherits', () => {
    const { handlers } = handlersWith(() => SECRET)
    for (const topic of ['orders.place', 'constructor.name', 'to.string']) expect(handlers.forTopic(topic)).toEqual([])
  })

  it('are found however many topics there are, and whatever is registered later', () => {
    const { handlers } = handlersWith(() => SECRET)
    handlers.add('*', {}, nothing)
    for (let i = 0; i < 2100; i++) expect(handlers.forTopic(`novelties.number_${i}`)).toHaveLength(1)
    handlers.add('orders.*', {}, nothing)
    expect(handlers.forTopic('orders.place')).toHaveLength(2)
    handlers.add('orders.place', {}, nothing)
    expect(handlers.forTopic('orders.place')).toHaveLength(3)
    expect(handlers.forTopic('novelties.number_1')).toHaveLength(1)
  })

  it('run twice when they were registered twice', () => {
    const { handlers } = handlersWith(() => SECRET)
    handlers.add('orders.place', {}, nothing)
    handlers.add('orders.place', {}, nothing)
    expect(handlers.forTopic('orders.place').map(({ handler }) => handler)).toEqual([nothing, nothing])
  })
})

describe('a handler is refused', () => {
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
  ])('for %j, which is no pattern of topics', (pattern) => {
    const { handlers } = handlersWith(SECRET)
    expect(() => handlers.add([pattern as string], {}, nothing)).toThrow(TypeError)
    expect(() => handlers.add(['orders.place', pattern as string], {}, nothing)).toThrow(/orders\.place/)
    expect(handlers.forTopic('orders.place')).toEqual([])
  })

  it('for an empty list', () => {
    expect(() => handlersWith(SECRET).handlers.add([], {}, nothing)).toThrow(TypeError)
  })

  it.each([undefined, null, {}, 'handler'])('when it is %j', (handler) => {
    const { handlers } = handlersWith(SECRET)
    expect(() => handlers.add('orders.place', {}, handler as never)).toThrow(/orders\.place.*function/)
    expect(() => handlers.add('orders.place', {}, handler as never)).toThrow(TypeError)
    expect(handlers.forTopic('orders.place')).toEqual([])
  })
})

describe('registering a handler warns', () => {
  const warned = (secrets: SecretsOption, ...patterns: (string | string[])[]) => {
    const { handlers, lines } = handlersWith(secrets)
    for (const pattern of patterns) handlers.add(pattern, {}, nothing)
    for (const { level } of lines) expect(level).toBe('warn')
    return lines
  }

  it('of a resource that is not known, and names those that are', () => {
    for (const pattern of ['order.place', 'order.*', 'constructor.name']) {
      const [line, ...others] = warned(() => SECRET, pattern)
      expect(line?.message).toContain(pattern)
      expect(line?.message).toMatch(/orders.*voids/)
      expect(line?.message.includes('Did you mean orders.')).toBe(pattern.startsWith('order.'))
      expect(line?.fields).toEqual({ topic: pattern })
      expect(others).toEqual([])
    }
  })

  it('of an event that is not known, and names those that are', () => {
    const [line, ...others] = warned(() => SECRET, 'orders.placed')
    expect(line?.message).toMatch(/orders\.placed.*Did you mean orders\.place\?.*place, placing/)
    expect(others).toEqual([])
  })

  it('of a topic that has no secret', () => {
    const [line, ...others] = warned({ 'orders.place': SECRET }, ['orders.place', 'orders.pay'])
    expect(line?.message).toMatch(/orders\.pay.*no secret/)
    expect(line?.fields).toEqual({ topic: 'orders.pay' })
    expect(others).toEqual([])
  })

  it('once of one secret that serves several topics', () => {
    for (const patterns of [
      ['orders.place', 'orders.pay', 'orders.cancel'],
      [['orders.place', 'orders.pay']],
      ['orders.*', '*'],
      ['*'],
    ]) {
      const lines = warned([SECRET], ...patterns)
      expect(lines.map(({ message }) => message)).toEqual([
        expect.stringMatching(/one secret.*captured delivery can be sent under another/),
      ])
    }
  })

  it('once of each pattern, however often it is registered', () => {
    expect(warned(() => SECRET, 'orders.placed', 'orders.placed', ['orders.placed'])).toHaveLength(1)
  })

  it.each([
    ['one secret and one topic', SECRET, ['orders.place', 'orders.place']],
    ['a secret a topic', { 'orders.place': SECRET, 'orders.pay': SECRET }, ['orders.place', 'orders.pay']],
    ['all topics of a resource', EVERY_ORDER, ['orders.*']],
    ['every topic', EVERY_ORDER, ['*']],
    ['a look-up', () => SECRET, ['orders.place', 'orders.*', '*']],
  ] as [string, SecretsOption, string[]][])('of nothing with %s', (_, secrets, patterns) => {
    expect(warned(secrets, ...patterns)).toEqual([])
  })
})
