import type { Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../../contracts/adapter/listen.ts'
import { waitFor } from '../../wait-for.ts'
import { startCommerceLayer, startEndpoint } from '../harness.ts'
import { startScriptedApi, WEBHOOK } from '../scripted-api.ts'

describe('the health of webhooks', () => {
  it('has the share of failed calls in the last hour, and the failures left until the circuit opens', async () => {
    const { api, emulator } = await startCommerceLayer({ retries: 0 })
    const { answer, url: callbackUrl } = await startEndpoint()
    const failing = await api.webhooks.create({ topic: 'customers.create', callbackUrl })
    const idle = await api.webhooks.create({ topic: 'orders.place', callbackUrl, disabled: true })
    for (const status of [200, 202, 500, 401, 500]) {
      answer(status)
      await emulator.trigger('customers.create')
    }
    const unchanged = { circuit: 'closed', disabled: false, callbackUrl }
    const healths = new Map((await api.health()).map((health) => [health.id, health]))
    expect([healths.get(failing.id), healths.get(idle.id)]).toEqual([
      {
        ...unchanged,
        id: failing.id,
        topic: 'customers.create',
        failures: 3,
        failuresLeft: 27,
        failedLastHour: { share: 0.6, calls: 5 },
      },
      {
        ...unchanged,
        id: idle.id,
        topic: 'orders.place',
        failures: 0,
        failuresLeft: 30,
        disabled: true,
        failedLastHour: { share: 0, calls: 0 },
      },
    ])
  })

  it('shows an open circuit', async () => {
    const { api, emulator } = await startCommerceLayer({ retries: 0 })
    const { answer, url: callbackUrl } = await startEndpoint()
    await api.webhooks.create({ topic: 'customers.create', callbackUrl })
    answer(500)
    for (let count = 0; count < 30; count++) await emulator.trigger('customers.create')
    expect(await api.health()).toMatchObject([
      { circuit: 'open', failures: 30, failuresLeft: 0, failedLastHour: { share: 1, calls: 30 } },
    ])
  })

  it('does not count a call that is under way, and counts one without an answer as failed', async () => {
    const { api, emulator } = await startCommerceLayer({ retries: 0 })
    const sockets: Socket[] = []
    const silent = await listen(({ socket }) => sockets.push(socket))
    onTestFinished(() => silent.close())
    await api.webhooks.create({ topic: 'customers.create', callbackUrl: silent.url })
    const call = emulator.trigger('customers.create')
    expect(await api.health()).toMatchObject([{ failedLastHour: { share: 0, calls: 0 } }])
    await waitFor(() => expect(sockets).toHaveLength(1))
    for (const socket of sockets) socket.destroy()
    await call
    expect(await api.health()).toMatchObject([{ failures: 1, failedLastHour: { share: 1, calls: 1 } }])
  })

  it('lets the API count, with one record a page', async () => {
    const { manage, requests } = await startScriptedApi(({ path }) => ({
      body: { data: path.endsWith('webhooks') ? [WEBHOOK] : [], meta: { record_count: 4, page_count: 4 } },
    }))
    await manage().health()
    const counting = requests.filter(({ path }) => path === '/api/event_callbacks')
    expect(counting.map(({ query }) => query.get('page[size]'))).toEqual(['1', '1'])
    for (const { query } of counting) expect(query.get('filter[q][webhook_id_eq]')).toBe('xYZkjABcde')
  })
})
