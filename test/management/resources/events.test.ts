import { describe, expect, it } from 'vitest'
import { endpoint, stage } from '../harness.ts'
import { all, rejection } from '../scripted-api.ts'

describe('events', () => {
  it('are listed by name and time, the oldest first, with the calls that were made for them', async () => {
    const { api, emulator } = await stage()
    const { url: callbackUrl } = await endpoint()
    await api.webhooks.create({ topic: 'customers.create', callbackUrl })
    const calls = []
    for (let count = 0; count < 30; count++) calls.push(...(await emulator.trigger('customers.create')))
    await emulator.trigger('orders.place')
    const events = await all(api.events.list({ name: 'customers.create' }))
    expect(events.map(({ name }) => name)).toEqual(Array(30).fill('customers.create'))
    const idsOfCalls = events.flatMap(({ last_event_callbacks }) => (last_event_callbacks ?? []).map(({ id }) => id))
    expect(idsOfCalls.sort()).toEqual(calls.map(({ id }) => id).sort())
    const since = events[10]?.created_at
    const until = events[20]?.created_at
    expect(await all(api.events.list({ name: 'customers.create', since, until }))).toEqual(
      events.filter(({ created_at }) => created_at >= String(since) && created_at < String(until)),
    )
  })

  it('are fired again', async () => {
    const { api, emulator } = await stage()
    const { url: callbackUrl } = await endpoint()
    await api.webhooks.create({ topic: 'customers.create', callbackUrl })
    await emulator.trigger('customers.create')
    const [event] = await all(api.events.list({ name: 'customers.create' }))
    expect(await api.events.trigger(event?.id ?? '')).toBeUndefined()
    await emulator.settled()
    expect(emulator.eventCallbacks).toHaveLength(2)
    expect(await rejection(api.events.trigger('NoSuchThing'))).toMatchObject({ code: 'RECORD_NOT_FOUND' })
  })
})
