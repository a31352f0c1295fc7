import { expect, it } from 'vitest'
import { GONE, startEmulatorForTest, startEndpoint } from '../harness.ts'

it('an event has a name, webhooks and event callbacks', async () => {
  const { ask, subscribe, emulator } = await startEmulatorForTest({ retries: 0 })
  const { id: webhook } = await subscribe({ topic: 'orders.place', callback_url: GONE })
  await subscribe({ topic: 'orders.pay', callback_url: GONE })
  const [called] = await emulator.trigger('orders.place')
  await emulator.trigger('orders.place')
  const { body } = await ask('events?include=webhooks,last_event_callbacks&page[size]=1')
  const [event] = body.data
  expect(event?.type).toBe('events')
  expect(Object.keys(event?.attributes ?? {})).toEqual([
    'name',
    'created_at',
    'updated_at',
    'reference',
    'reference_origin',
    'metadata',
  ])
  expect(event?.attributes?.name).toBe('orders.place')
  expect(event?.relationships?.webhooks?.data).toEqual([{ type: 'webhooks', id: webhook }])
  expect(event?.relationships?.last_event_callbacks?.data).toEqual([{ type: 'event_callbacks', id: called?.id }])
  const related = await ask(`events/${event?.id}/last_event_callbacks?fields[event_callbacks]=id`)
  expect(related.body.data.map(({ id }) => id)).toEqual([called?.id])
})

it('`_trigger` calls the webhooks of an event again, with the same bytes', async () => {
  const { ask, subscribe, emulator } = await startEmulatorForTest()
  const endpoint = await startEndpoint()
  await subscribe({ topic: 'orders.place', callback_url: `${endpoint.url}/200`, include_resources: ['customer'] })
  await emulator.trigger('orders.place', { customer: { email: 'zoe@example.com' } })
  const id = (await ask('events')).body.data[0]?.id ?? ''
  const data = { type: 'events', id, attributes: { _trigger: true, reference: 'again', metadata: { by: 'hand' } } }
  const { status, body } = await ask(`events/${id}?fields[events]=reference,metadata`, {
    method: 'PATCH',
    body: { data },
  })
  expect(status).toBe(200)
  expect(body.data.attributes).toEqual({ reference: 'again', metadata: { by: 'hand' } })
  await emulator.settled()
  const [first, second] = emulator.eventCallbacks
  expect(emulator.eventCallbacks).toHaveLength(2)
  expect(second?.payload).toEqual(first?.payload)
  expect((await ask(`events/${id}/last_event_callbacks`)).body.data).toHaveLength(2)
  await endpoint.close()
})

it('an update without `_trigger`, or one that is refused, calls no webhook', async () => {
  const { ask, subscribe, emulator } = await startEmulatorForTest({ retries: 0 })
  await subscribe({ topic: 'orders.place', callback_url: GONE })
  await emulator.trigger('orders.place')
  const id = (await ask('events')).body.data[0]?.id ?? ''
  const patch = (attributes: object) =>
    ask(`events/${id}`, { method: 'PATCH', body: { data: { type: 'events', id, attributes } } })
  expect((await patch({ _trigger: false })).status).toBe(200)
  expect((await patch({ metadata: null })).status).toBe(200)
  expect((await patch({ _trigger: 'yes' })).status).toBe(422)
  expect((await patch({ _trigger: true, name: 'orders.pay' })).status).toBe(400)
  expect((await ask('events/nobody', { method: 'PATCH', body: {} })).status).toBe(404)
  await emulator.settled()
  expect(emulator.eventCallbacks).toHaveLength(1)
})

it('the organization is that of the options', async () => {
  const { ask } = await startEmulatorForTest({ organization: 'acme', organizationId: 'AcmeAcmeAc', mode: 'live' })
  const { status, body } = await ask('organization')
  expect(status).toBe(200)
  expect(body.data).toMatchObject({
    id: 'AcmeAcmeAc',
    type: 'organizations',
    attributes: { name: 'acme', slug: 'acme', domain: 'acme.commercelayer.io', metadata: {} },
    meta: { mode: 'live', organization_id: 'AcmeAcmeAc' },
  })
  expect((await ask('organization?fields[organizations]=slug')).body.data.attributes).toEqual({ slug: 'acme' })
  expect((await ask('organization?sort=id')).status).toBe(400)
})
