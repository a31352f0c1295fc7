import { describe, expect, it } from 'vitest'
import { rejection } from '../../deliveries.ts'
import { collect, startCommerceLayer, startEndpoint } from '../harness.ts'

describe('events', () => {
  it('are listed by name and time, the oldest first, with the calls that were made for them', async () => {
    const { api, emulator } = await startCommerceLayer()
    const { url: callbackUrl } = await startEndpoint()
    await api.webhooks.create({ topic: 'customers.create', callbackUrl })
    const calls = []
    for (let count = 0; count < 30; count++) calls.push(...(await emulator.trigger('customers.create')))
    await emulator.trigger('orders.place')
    const events = await collect(api.events.list({ name: 'customers.create' }))
    expect(events.map(({ name }) => name)).toEqual(Array(30).fill('customers.create'))
    const callIds = events.flatMap(({ last_event_callbacks }) => (last_event_callbacks ?? []).map(({ id }) => id))
    expect(callIds.sort()).toEqual(calls.map(({ id }) => id).sort())
    const since = events[10]?.created_at
    const until = events[20]?.created_at
    expect(await collect(api.events.list({ name: 'customers.create', since, until }))).toEqual(
      events.filter(({ created_at }) => created_at >= String(since) && created_at < String(until)),
    )
  })

  it('are triggered again', async () => {
    const { api, emulator } = await startCommerceLayer()
    const { url: callbackUrl } = await startEndpoint()
    await api.webhooks.create({ topic: 'customers.create', callbackUrl })
    await emulator.trigger('customers.create')
    const [event] = await collect(api.events.list({ name: 'customers.create' }))
    expect(await api.events.trigger(event?.id ?? '')).toBeUndefined()
    await emulator.settled()
    expect(emulator.eventCallbacks).toHaveLength(2)
    expect(await rejection(api.events.trigger('NoSuchThing'))).toMatchObject({ code: 'RECORD_NOT_FOUND' })
  })
})
