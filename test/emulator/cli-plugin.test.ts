import { expect, it, onTestFinished } from 'vitest'
import { describeUnless } from '../unless.ts'
import { skipReason, startPluginHarness } from './cli-plugin-harness.ts'
import { GONE, startEndpoint } from './harness.ts'

/** The cells of the tables that a command prints, by row. */
function readRows(stdout: string): string[][] {
  return Array.from(stdout.matchAll(/^│(.*)│$/gm), ([, cells = '']) => cells.split('│').map((cell) => cell.trim()))
}

/** Starts with a webhook whose circuit is open after thirty failures. */
async function startWithOpenCircuit() {
  const harness = await startPluginHarness({ retries: 29, retryDelayMs: () => 1 })
  const endpoint = await startEndpoint()
  onTestFinished(() => endpoint.close())
  const { id } = await harness.subscribe({ topic: 'orders.place', callback_url: `${endpoint.url}/503` })
  await harness.emulator.trigger('orders.place')
  await harness.emulator.settled()
  return { ...harness, id }
}

describeUnless(skipReason)("Commerce Layer's own command line", { timeout: 20_000 }, () => {
  it('creates a webhook with all its options', async () => {
    const { cl, emulator } = await startPluginHarness()
    const include = ['-i', 'customer,line_items', '-i', 'shipping_address']
    const { stdout } = await cl('webhooks:create', '-t', 'orders.place', '-u', GONE, '-n', 'warehouse', ...include)
    const given = { topic: 'orders.place', callback_url: GONE, name: 'warehouse' }
    const include_resources = ['customer', 'line_items', 'shipping_address']
    expect(emulator.webhooks).toMatchObject([{ ...given, include_resources }])
    const { id } = emulator.webhooks[0] ?? {}
    expect(stdout.trim()).toBe(`Successfully created new webhook with topic orders.place and id ${id}`)
  })

  it('lists all webhooks, those of a topic, and those with an open circuit', async () => {
    const { cl, id, subscribe } = await startWithOpenCircuit()
    const other = await subscribe({ topic: 'orders.pay', callback_url: GONE })
    const head = ['ID', 'Name', 'Topic', 'Circuit state', 'Recent failures']
    const open = [id, 'acme-orders.place', 'orders.place', 'open', '30']
    const closed = [other.id, 'acme-orders.pay', 'orders.pay', 'closed', '0']
    const lists = [cl('webhooks:list'), cl('webhooks:list', '-t', 'orders.pay'), cl('webhooks:list', '-c', 'open')]
    const [all, ofTopic, ofCircuit] = (await Promise.all(lists)).map(({ stdout }) => readRows(stdout))
    expect(all).toEqual([head, open, closed])
    expect(ofTopic).toEqual([head, closed])
    expect(ofCircuit).toEqual([head, open])
  })

  it('shows the details of a webhook, with its last event callbacks', async () => {
    const { cl, id, emulator } = await startWithOpenCircuit()
    const [details = '', callbacks = ''] = (await cl('webhooks:details', id, '-e')).stdout.split('LAST EVENT CALLBACKS')
    const { name, topic, callback_url, shared_secret } = emulator.webhooks[0] ?? {}
    const circuit = { circuit_state: 'open', circuit_failure_count: '30' }
    expect(Object.fromEntries(readRows(details))).toMatchObject({
      id,
      name,
      topic,
      callback_url,
      shared_secret,
      ...circuit,
    })
    const [, row] = readRows(callbacks)
    expect(emulator.eventCallbacks.map((callback) => callback.id)).toContain(row?.[0])
    expect(row?.slice(1, 3)).toEqual(['503', 'Service Unavailable'])
  })

  it('lists only the events of one webhook, newest first, over all pages', async () => {
    const { cl, id, emulator, subscribe } = await startWithOpenCircuit()
    await subscribe({ topic: 'orders.pay', callback_url: GONE })
    await emulator.trigger('orders.pay')
    const [some, all] = await Promise.all([cl('webhooks:events', id), cl('webhooks:events', id, '-A')])
    expect(some.stdout).toMatch(/displayed events: 25\nTotal event count: 30/)
    const callbacks = new Map(emulator.eventCallbacks.map((callback) => [callback.id, callback]))
    const rows = readRows(all.stdout).slice(1)
    const called = rows.map(([event = '']) => callbacks.get(event))
    expect(new Set(called).size).toBe(30)
    expect(called.every((callback) => callback?.webhook.id === id)).toBe(true)
    const times = called.map((callback) => callback?.created_at)
    expect(times).toEqual([...times].sort().reverse())
    expect(new Set(rows.map(([, code, message]) => `${code} ${message}`))).toEqual(new Set(['503 Service Unavailable']))
  })

  it('prints the payload of an event', async () => {
    const { cl, emulator, subscribe } = await startPluginHarness({ retries: 0 })
    await subscribe({ topic: 'orders.place', callback_url: GONE, include_resources: ['customer'] })
    const [callback] = await emulator.trigger('orders.place', { customer: { email: 'zoe@example.com' } })
    const { stdout } = await cl('webhooks:payload', callback?.id ?? '')
    expect(stdout).toContain('zoe@example.com')
    expect(JSON.parse(stdout)).toEqual(callback?.payload)
  })

  it('resets an open circuit', async () => {
    const { cl, id, emulator } = await startWithOpenCircuit()
    expect(emulator.webhooks[0]?.circuit_state).toBe('open')
    const { stdout } = await cl('webhooks:reset', id)
    expect(stdout.trim()).toBe(`The circuit breaker associated to the webhook ${id} has been successfully reset`)
    expect(emulator.webhooks[0]).toMatchObject({ circuit_state: 'closed', circuit_failure_count: 0 })
  })

  it('recognizes the errors of the emulator', async () => {
    const { cl } = await startPluginHarness()
    const late = await startPluginHarness({ tokenLifetimeMs: 1 })
    const [unknown, expired, wrong] = await Promise.all([
      cl('webhooks:details', 'xYZkjABcde'),
      late.cl('webhooks:list'),
      cl('webhooks:create', '-t', 'orders.eat', '-u', GONE),
    ])
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('Unable to find webhook with id') })
    expect(expired).toMatchObject({ code: 2, stderr: expect.stringContaining('Execute login to get access') })
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('VALIDATION_ERROR') })
  })

  it('reaches only the emulator', async () => {
    const { node, emulator } = await startPluginHarness()
    const { code, stderr } = await node('-e', `fetch('${emulator.url}/api/webhooks')`)
    expect(code).toBe(1)
    expect(stderr).toContain('Only Commerce Layer can be reached from here.')
  })
})
