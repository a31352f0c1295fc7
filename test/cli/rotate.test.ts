import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Emulator, EmulatorOptions } from 'hooklayer/emulator'
import type { Management } from 'hooklayer/management'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createQuietReceiver, startCommerceLayer, startEndpoint } from '../management/harness.ts'
import { startApiProxy, toEnv } from './api-proxy.ts'
import { createProject, runCli, startCli, startInTerminal } from './run-cli.ts'

const TOPIC = 'orders.place'

interface Shop {
  readonly url: string
  /** The numbers of the orders, as often as they were handled. */
  readonly handled: string[]
}

async function startShop(folder: string): Promise<Shop> {
  const script = new URL('shop-child.ts', import.meta.url).pathname
  const files = [join(folder, 'shop.env'), join(folder, 'store.sqlite')]
  const child: ChildProcess = fork(script, files, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 2, 2, 'ipc'] })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const handled: string[] = []
  child.on('message', (message: { readonly handled?: string }) => {
    if (message.handled) handled.push(message.handled)
  })
  const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }]
  return { url: `http://127.0.0.1:${port}/webhooks`, handled }
}

interface Subscribed {
  readonly emulator: Emulator
  readonly api: Management
  readonly url: string
  /** The secrets that the receiver has now. */
  readonly secrets: string[]
  readonly env: Record<string, string>
  readonly webhookId: string
}

/** A webhook, and a receiver that has its secret and reads `secrets` for each delivery. */
async function subscribe(options: EmulatorOptions = {}): Promise<Subscribed> {
  const { emulator, api } = await startCommerceLayer({ logger: { warn() {} }, ...options })
  const endpoint = await startEndpoint()
  const { id, shared_secret } = await api.webhooks.create({
    topic: TOPIC,
    callbackUrl: endpoint.url,
    name: 'placed orders',
    includeResources: ['customer'],
    referenceOrigin: 'hooklayer',
    metadata: { team: 'shop' },
  })
  const secrets = [shared_secret]
  const receiver = createQuietReceiver(() => secrets)
  receiver.on(TOPIC, () => {})
  endpoint.serve(receiver)
  return { emulator, api, url: endpoint.url, secrets, env: toEnv(emulator), webhookId: id }
}

const rotate = (url: string, ...more: string[]) => ['webhooks', 'rotate', TOPIC, '--url', url, ...more]

describe('hooklayer webhooks rotate', () => {
  it('refuses nothing and handles nothing twice behind a store, under 50 deliveries a second', async () => {
    const folder = await createProject()
    const { emulator, api } = await startCommerceLayer({
      maxEventCallbacks: 10_000,
      retryDelayMs: () => 1000,
      timeoutMs: 60_000, // However busy this machine is.
      logger: { warn() {} },
    })
    writeFileSync(join(folder, 'shop.env'), `CL_SECRET_ORDERS__PLACE=${'not a secret of any webhook'}\n`)
    const shop = await startShop(folder)
    const { id, shared_secret } = await api.webhooks.create({ topic: TOPIC, callbackUrl: shop.url })
    writeFileSync(join(folder, 'shop.env'), `CL_SECRET_ORDERS__PLACE=${shared_secret}\n`)

    const numbers: string[] = []
    let isOver = false
    const startedAt = performance.now()
    const load = (async () => {
      const calls = new Set<Promise<unknown>>()
      while (!isOver) {
        // 50 a second, or as many as a busy machine can answer.
        const isDue = numbers.length < (performance.now() - startedAt) / 20
        if (isDue && calls.size < 20) {
          const number = String(10_000 + numbers.length)
          numbers.push(number)
          const call: Promise<unknown> = emulator.trigger(TOPIC, { number }).finally(() => calls.delete(call))
          calls.add(call)
        } else await pause(2)
      }
      await Promise.all(calls)
    })()
    await pause(500)
    const flags = rotate(shop.url, '--yes', '--write-env', 'next.env')
    const env = { ...toEnv(emulator), CL_API_URL: (await startApiProxy(emulator, 200)).url }
    const running = await startCli(flags, { cwd: folder, env })
    await running.lineWith('Waiting.')
    await pause(1000)
    copyFileSync(join(folder, 'next.env'), join(folder, 'shop.env')) // Somebody deploys.
    const { exit, stderr } = await running.result()
    await pause(500)
    isOver = true
    await load
    await emulator.settled()

    expect(exit, stderr).toBe(0)
    // For a while both have delivered.
    const calledTwice = emulator.eventCallbacks.length - numbers.length
    expect(calledTwice).toBeGreaterThan(0)
    // Of two deliveries of an event at the same moment, one waits for the other.
    const refused = emulator.eventCallbacks.filter(({ response_code }) => !response_code?.startsWith('2'))
    expect(refused.map(({ response_code }) => response_code)).toEqual([])
    expect(new Set(emulator.eventCallbacks.map(({ payload }) => Object(payload.data).id)).size).toBe(numbers.length)
    expect([...shop.handled].sort()).toEqual([...numbers].sort())
    expect(numbers.length).toBeGreaterThan(100)
    const [webhook, ...others] = emulator.webhooks
    expect(others).toEqual([])
    expect(webhook).toMatchObject({ disabled_at: null, circuit_state: 'closed' })
    expect(webhook?.id).not.toBe(id)
    const written = `CL_SECRET_ORDERS__PLACE=${webhook?.shared_secret},${shared_secret}\n`
    expect(readFileSync(join(folder, 'shop.env'), 'utf8')).toBe(written)
    expect(stderr).not.toContain(shared_secret)
    expect(stderr).not.toContain(webhook?.shared_secret)
  }, 120_000)

  it('waits until the receiver has both secrets, and keeps all of the webhook but id and secret', async () => {
    const { emulator, url, secrets, env, webhookId } = await subscribe()
    const [old] = emulator.webhooks
    const running = await startCli(rotate(url, '--yes', '--show-secrets', '--json'), { env })
    const line = JSON.parse(await running.lineWith('"created"'))
    const next = emulator.webhooks.find(({ id }) => id === line.webhookId)
    expect(next?.disabled_at).not.toBeNull()
    expect(line).toEqual({
      step: 'created',
      topic: TOPIC,
      webhookId: next?.id,
      variable: 'CL_SECRET_ORDERS__PLACE',
      value: `${next?.shared_secret},${old?.shared_secret}`,
    })
    secrets[0] = String(next?.shared_secret) // Without the old one, deliveries would be refused.
    await pause(2500)
    expect(emulator.webhooks.find(({ id }) => id === next?.id)?.disabled_at).not.toBeNull()
    secrets.push(String(old?.shared_secret))
    const { exit, objects } = await running.result()
    expect(exit).toBe(0)
    expect(objects().slice(1)).toEqual([
      { step: 'accepted', topic: TOPIC, webhookId: next?.id },
      { step: 'enabled', topic: TOPIC, webhookId: next?.id },
      { step: 'deleted', topic: TOPIC, webhookId },
    ])
    const [only, ...others] = emulator.webhooks
    expect(others).toEqual([])
    const { id, shared_secret, created_at, updated_at, ...same } = old ?? expect.unreachable()
    expect(only).toMatchObject(same)
    expect(only).toMatchObject({ id: next?.id, shared_secret: next?.shared_secret })
  })

  it('prints a line a step for people, and no secret', async () => {
    const { emulator, api, url, secrets, env, webhookId } = await subscribe()
    const running = await startCli(rotate(url, '--yes'), { env })
    await running.lineWith('Waiting.')
    const webhooks = emulator.webhooks
    const next = webhooks.find(({ id }) => id !== webhookId)
    secrets.push(String(next?.shared_secret))
    const { exit, stdout, stderr } = await running.result()
    expect({ exit, stdout, stderr }).toEqual({
      exit: 0,
      stdout: '',
      stderr: [
        `orders.place: the second webhook is ${next?.id}. Give the receiver both secrets: CL_SECRET_ORDERS__PLACE=********`,
        '--show-secrets prints them, and --write-env writes them to a file. `management.secrets` reads them itself.',
        'Waiting. The receiver does not have the new secret of orders.place.',
        'orders.place: The receiver has both secrets.',
        `orders.place: ${next?.id} delivers in place of ${webhookId}.`,
        `orders.place: ${webhookId} is deleted. Its secret is not used any more: remove it.`,
        '',
      ].join('\n'),
    })
    expect(await api.webhooks.retrieve(String(next?.id))).toMatchObject({ name: 'placed orders' })
  })

  it('leaves nothing behind on Ctrl-C while it waits', async () => {
    const { emulator, url, env, webhookId } = await subscribe()
    const running = await startCli(rotate(url, '--yes'), { env })
    await running.lineWith('Waiting.')
    running.child.kill('SIGINT')
    expect((await running.result()).exit).toBe(130)
    expect(running.output()).toContain('The second webhook is deleted again: nothing has changed.\n')
    expect(emulator.webhooks.map(({ id }) => id)).toEqual([webhookId])
  })

  it('goes on where a run that was killed has stopped, with the same secret', async () => {
    const { emulator, url, secrets, env, webhookId } = await subscribe()
    const killed = await startCli(rotate(url, '--yes'), { env })
    await killed.lineWith('Waiting.')
    killed.child.kill('SIGKILL')
    await killed.result()
    const next = emulator.webhooks.find(({ id }) => id !== webhookId)
    secrets.push(String(next?.shared_secret))
    expect(await runCli(rotate(url, '--yes'), { env })).toMatchObject({ exit: 0 })
    expect(emulator.webhooks.map(({ id }) => id)).toEqual([next?.id])
  })

  it('makes the second webhook with --prepare and ends, into a file that only its owner reads', async () => {
    const { emulator, url, secrets, env, webhookId } = await subscribe()
    const cwd = await createProject()
    const prepared = await runCli(rotate(url, '--prepare', '--write-env', '.secrets'), { env, cwd })
    expect(prepared.exit).toBe(0)
    const next = emulator.webhooks.find(({ id }) => id !== webhookId)
    expect(next?.disabled_at).not.toBeNull()
    const file = join(cwd, '.secrets')
    expect(readFileSync(file, 'utf8')).toBe(`CL_SECRET_ORDERS__PLACE=${next?.shared_secret},${secrets}\n`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    secrets.push(String(next?.shared_secret))
    expect(await runCli(rotate(url, '--yes'), { env })).toMatchObject({ exit: 0 })
    expect(emulator.webhooks.map(({ id }) => id)).toEqual([next?.id])
  })

  it('does not delete a webhook whose delivery waits to be retried', async () => {
    const { emulator, api, url, secrets, env, webhookId } = await subscribe({ retryDelayMs: () => 600_000 })
    const secret = secrets.splice(0, 1)
    await emulator.trigger(TOPIC)
    secrets.push(...secret)
    const running = await startCli(rotate(url, '--yes', '--timeout', '4s', '--json'), { env })
    await running.lineWith('"created"')
    secrets.push(String(emulator.webhooks.find(({ id }) => id !== webhookId)?.shared_secret))
    const { exit, stderr } = await running.result()
    expect(exit, stderr).toBe(1)
    expect(stderr).toContain('It took too long. 1 delivery of orders.place failed, and may be retried.')
    expect(await api.webhooks.retrieve(webhookId)).toMatchObject({ disabled_at: null })
    expect(emulator.webhooks).toHaveLength(2)
  })

  it.each([
    ['accepts a wrong signature', 200, 1, 'accepts a wrong signature, so it cannot tell which secrets it has.'],
    ['refuses the present secret', 401, 1, 'does not accept the present secret of orders.place.'],
    ['is something else', 404, 4, 'It answered 404.'],
  ])('makes nothing if the receiver %s', async (_, status, exit, problem) => {
    const { emulator, api } = await startCommerceLayer()
    const endpoint = await startEndpoint()
    endpoint.answer(status)
    await api.webhooks.create({ topic: TOPIC, callbackUrl: endpoint.url })
    const result = await runCli(rotate(endpoint.url, '--yes'), { env: toEnv(emulator) })
    expect(result).toMatchObject({ exit, stdout: '' })
    expect(result.stderr).toMatch(/^.*\n$/)
    expect(result.stderr).toContain(problem)
    expect(emulator.webhooks).toHaveLength(1)
  })

  it('says which webhooks there are if it cannot choose, and asks in a terminal', async () => {
    const { emulator, api, url, env } = await subscribe()
    const other = await runCli(['webhooks', 'rotate', 'orders.approve', '--url', url, '--yes'], { env })
    expect(other).toMatchObject({ exit: 2, stderr: `No webhook of orders.approve calls ${url}.\n` })
    const unasked = await runCli(rotate(url), { env })
    expect(unasked.exit).toBe(2)
    expect(unasked.stderr).toContain('answer with --yes.\n')
    const terminal = await startInTerminal(rotate(url), { env })
    await terminal.lineWith('and delete it at the end?')
    terminal.child.stdin.write('n')
    expect(await terminal.result()).toMatchObject({ exit: 130 })
    expect(terminal.output()).toContain('Nothing was changed.')
    await api.webhooks.create({ topic: TOPIC, callbackUrl: url, name: 'by hand' })
    const several = await runCli(rotate(url, '--yes'), { env })
    expect(several.exit).toBe(2)
    expect(several.stderr).toMatch(
      /orders\.place has several webhooks at .*: \w{10}, \w{10}\. Delete all but one first\./,
    )
    expect(emulator.webhooks).toHaveLength(2)
  })
})
