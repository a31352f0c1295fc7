import type { Receiver } from 'hooklayer'
import type { RecoverOptions, RecoveryResult } from 'hooklayer/management'
import { describe, expect, it } from 'vitest'
import { createQuietReceiver, startCommerceLayer, startEndpoint } from '../harness.ts'
import { LIST, startScriptedApi, WEBHOOK } from '../scripted-api.ts'

const since = new Date(Date.now() - 60_000)

/** A receiver that notes which handler ran for which order. Handlers fail as long as `isBroken` is true. */
function createShop(topics: readonly string[]) {
  const shop = { handled: [] as string[], isBroken: true, receiver: createQuietReceiver() }
  for (const topic of topics) {
    shop.receiver.on(topic, ({ resource }) => {
      if (shop.isBroken) throw new Error('broken')
      shop.handled.push(`${topic} ${(resource as { id: string }).id}`)
    })
  }
  return shop
}

/** Fails the delivery of an `orders.place`, and gives its webhook the topic `orders.cancel`. */
async function failAndChangeTopic(topics: readonly string[], { retries = 0, maxEventCallbacks = 100 } = {}) {
  const shop = createShop(topics)
  const { emulator, api } = await startCommerceLayer({ retries, maxEventCallbacks })
  const { url, answer } = await startEndpoint()
  answer(500)
  const { id } = await api.webhooks.create({ topic: 'orders.place', callbackUrl: url })
  await emulator.trigger('orders.place', { id: 'placedORDR' })
  await emulator.settled()
  await api.webhooks.update(id, { topic: 'orders.cancel' })
  shop.isBroken = false
  const results: RecoveryResult[] = []
  const recover = (options: Partial<RecoverOptions> = {}) =>
    api.recover(shop.receiver, { since, onResult: (result) => results.push(result), ...options })
  return { ...shop, shop, emulator, api, id, answer, recover, results }
}

describe('after a webhook was given another topic, recover', () => {
  it('does not run the handlers of the new topic for an event of the old one', async () => {
    const { recover, handled, results } = await failAndChangeTopic(['orders.cancel', 'orders.place'])
    expect(await recover()).toMatchObject({ recovered: 1, unhandled: 0, complete: true })
    expect(handled).toEqual(['orders.place placedORDR'])
    expect(results).toMatchObject([{ topic: 'orders.place', result: 'recovered' }])
  })

  it.each([['orders.*'], ['*']])('finds the old topic, if it is handled as %s', async (pattern) => {
    const { recover, results } = await failAndChangeTopic([pattern])
    expect(await recover()).toMatchObject({ recovered: 1 })
    expect(results).toMatchObject([{ topic: 'orders.place', result: 'recovered' }])
  })

  it('leaves an event alone whose own topic has no handler', async () => {
    const { recover, handled, results } = await failAndChangeTopic(['orders.cancel'])
    expect(await recover()).toMatchObject({ recovered: 0, unhandled: 1, complete: true })
    expect([handled, results]).toEqual([[], []])
  })

  it('leaves an event alone whose topic cannot be told', async () => {
    const { recover, handled, emulator } = await failAndChangeTopic(['orders.cancel', 'orders.place'], {
      maxEventCallbacks: 5,
    })
    // No webhook has this topic: the events push the older one out, and the calls stay.
    for (let count = 0; count < 5; count++) await emulator.trigger('orders.pay')
    expect(await recover()).toMatchObject({ recovered: 0, unhandled: 1, complete: true })
    expect(handled).toEqual([])
  })

  it('does not run an event again that was acknowledged before the change', async () => {
    const { api, emulator, id, answer, recover, handled } = await failAndChangeTopic(['orders.cancel', 'orders.place'])
    await api.webhooks.update(id, { topic: 'orders.place' })
    answer(200)
    for await (const event of api.events.list({ name: 'orders.place' })) await api.events.trigger(event.id)
    await emulator.settled()
    await api.webhooks.update(id, { topic: 'orders.cancel' })
    expect(await recover()).toMatchObject({ recovered: 0, alreadyDelivered: 1 })
    expect(handled).toEqual([])
  })

  it('takes `topic` for that of the event', async () => {
    const { recover, handled, emulator } = await failAndChangeTopic(['orders.cancel', 'orders.place'])
    await emulator.trigger('orders.cancel', { id: 'cancelORDR' })
    await emulator.settled()
    expect(await recover({ topic: 'orders.place' })).toMatchObject({ recovered: 1, unhandled: 0 })
    expect(handled).toEqual(['orders.place placedORDR'])
    expect(await recover({ topic: 'orders.cancel' })).toMatchObject({ recovered: 1, unhandled: 1 })
    expect(handled).toEqual(['orders.place placedORDR', 'orders.cancel cancelORDR'])
    expect(await recover({ topic: 'orders.pay' })).toMatchObject({ recovered: 0, unhandled: 0, complete: true })
  })
})

describe('while a webhook was not changed since an hour before the call, recover', () => {
  const call = {
    id: 'callcallca',
    type: 'event_callbacks',
    attributes: {
      callback_url: WEBHOOK.attributes.callback_url,
      payload: { data: { id: 'NrlYhpzLKA', type: 'orders', attributes: {} } },
      response_code: '500',
      created_at: '2026-08-01T12:00:00.000Z',
    },
    relationships: { webhook: { data: { type: 'webhooks', id: WEBHOOK.id } } },
  }

  /** An API with one failed call, whose webhook was changed at that time, and no events. */
  async function recoverFrom(updated_at: string, receiver: Receiver, options: Partial<RecoverOptions> = {}) {
    const webhook = { ...WEBHOOK, attributes: { ...WEBHOOK.attributes, updated_at } }
    const none = { body: { data: [], meta: { record_count: 0, page_count: 1 } } }
    const { manage, requests } = await startScriptedApi(({ path, query }) => {
      if (path.endsWith('/webhooks')) return { body: { ...Object(LIST.body), data: [webhook] } }
      const isFailed = path.endsWith('/event_callbacks') && query.has('filter[q][response_code_not_start]')
      return isFailed ? { body: { ...Object(LIST.body), data: [call], included: [webhook] } } : none
    })
    const results: RecoveryResult[] = []
    const onResult = (result: RecoveryResult) => results.push(result)
    const recovery = await manage().recover(receiver, { since: '2026-08-01T11:59:00Z', onResult, ...options })
    return { recovery, results, events: requests.filter(({ path }) => path.endsWith('/events')) }
  }

  it('takes its topic, and reads no events', async () => {
    const shop = createShop(['orders.place'])
    shop.isBroken = false
    const { recovery, events } = await recoverFrom('2026-08-01T10:59:59.000Z', shop.receiver)
    expect(recovery).toMatchObject({ recovered: 1, unhandled: 0 })
    expect(events).toEqual([])
    const changed = await recoverFrom('2026-08-01T11:00:00.000Z', shop.receiver)
    expect(changed.recovery).toMatchObject({ recovered: 0, unhandled: 1 })
    expect(changed.events).toHaveLength(1)
  })

  it('leaves a topic without a handler alone', async () => {
    const { recovery, events } = await recoverFrom('2026-08-01T10:00:00.000Z', createShop(['orders.pay']).receiver)
    expect(recovery).toMatchObject({ recovered: 0, failed: 0, unhandled: 1 })
    expect(events).toEqual([])
  })

  it('looks at no calls if no webhook can have had the wanted topic', async () => {
    const { receiver } = createShop(['orders.place', 'orders.pay'])
    const { recovery, results } = await recoverFrom('2026-08-01T10:00:00.000Z', receiver, { topic: 'orders.pay' })
    expect(recovery).toMatchObject({ recovered: 0, unhandled: 0, complete: true })
    expect(results).toEqual([])
  })

  it('says that an event that lacks an include was not triggered again, if it is not found', async () => {
    const receiver = createQuietReceiver().on('orders.place', { include: ['customer'] }, () => {})
    const { recovery, results } = await recoverFrom('2026-08-01T10:00:00.000Z', receiver, { retrigger: true })
    expect(recovery).toMatchObject({ retriggered: 0, failed: 1, complete: true })
    expect(results[0]?.error).toMatch(/^INCLUDE_MISSING: .* Its event was not found, so it was not triggered again\.$/)
  })
})
