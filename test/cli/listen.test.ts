import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Receiver, SecretsLookUp, WebhookEvent } from 'hooklayer'
import type { Emulator, EmulatorOptions } from 'hooklayer/emulator'
import { createNodeListener } from 'hooklayer/node'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { listen } from '../contracts/adapter/listen.ts'
import { createQuietReceiver, startCommerceLayer } from '../management/harness.ts'
import { startApiProxy, toEnv } from './api-proxy.ts'
import { createProject, runCli, startCli, startInTerminal } from './run-cli.ts'

interface Target {
  readonly url: string
  /** The ids of the events that were handled, as often as they were. */
  readonly ids: string[]
  readonly receiver: Receiver
}

/** A receiver with the secrets of the emulator's webhooks, or with others. */
async function startTarget(secrets: SecretsLookUp, onEvent: (event: WebhookEvent) => void = () => {}): Promise<Target> {
  const ids: string[] = []
  const receiver = createQuietReceiver(secrets)
  receiver.on('*', (event) => {
    onEvent(event)
    ids.push(event.id)
  })
  const { url, close } = await listen(createNodeListener(receiver), '/webhooks')
  onTestFinished(close)
  return { url, ids, receiver }
}

interface Shop {
  readonly emulator: Emulator
  /** The receiver that the webhooks call. */
  readonly live: Target
  /** The receiver on the machine of the developer. */
  readonly local: Target
  readonly cwd: string
  readonly env: Record<string, string>
}

async function startShop(options: EmulatorOptions = {}, onEvent?: (event: WebhookEvent) => void): Promise<Shop> {
  const { emulator, api } = await startCommerceLayer({ logger: { warn() {} }, timeoutMs: 60_000, ...options })
  const secretsOf: SecretsLookUp = (topic) =>
    emulator.webhooks.find((webhook) => webhook.topic === topic)?.shared_secret
  const [live, local] = [await startTarget(secretsOf, onEvent), await startTarget(secretsOf)]
  for (const topic of ['orders.place', 'customers.create']) await api.webhooks.create({ topic, callbackUrl: live.url })
  const cwd = await createProject()
  return { emulator, live, local, cwd, env: { ...toEnv(emulator), XDG_STATE_HOME: join(cwd, 'state') } }
}

const flags = ({ local }: Shop, ...more: string[]) => ['listen', '--forward', local.url, ...more]

/** The most requests in any such time. */
function countPeak(times: readonly number[], windowMs: number): number {
  return Math.max(...times.map((start) => times.filter((time) => time >= start && time < start + windowMs).length))
}

describe('hooklayer listen', () => {
  it('forwards the events of 1,000 callbacks once each over 3 restarts, within the rate limits', async () => {
    const failed = new Set<string>()
    let count = 0
    const shop = await startShop({ rateLimit: true, maxEventCallbacks: 5000 }, ({ id }) => {
      count += 1
      if (count % 20 !== 0 || failed.has(id)) return
      failed.add(id)
      throw new Error('for once')
    })
    const { emulator, live, local, cwd } = shop
    while (emulator.eventCallbacks.length < 1000) {
      const topic = emulator.eventCallbacks.length % 3 === 0 ? 'orders.place' : 'customers.create'
      await emulator.trigger(topic)
      await emulator.settled()
    }
    expect(failed.size).toBeGreaterThan(40)
    const proxy = await startApiProxy(emulator)
    const env = { ...shop.env, CL_API_URL: proxy.url }

    const since = flags(shop, '--since', '2h', '--json')
    for (const [signal, until] of [
      ['SIGINT', 250],
      ['SIGKILL', 500],
      ['SIGTERM', 750],
    ] as const) {
      const running = await startCli(since, { env, cwd })
      await vi.waitFor(() => expect(local.ids.length).toBeGreaterThan(until), { timeout: 60_000, interval: 5 })
      running.child.kill(signal)
      await running.result()
    }
    const { exit, stderr } = await runCli([...since, '--once'], { env, cwd })

    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(new Set(local.ids)).toEqual(new Set(live.ids))
    expect(new Set(live.ids).size).toBe(live.ids.length)
    expect(local.ids.length).toBeLessThanOrEqual(live.ids.length + 1) // SIGKILL may repeat one.
    const requests = proxy.requests.filter(({ path }) => path.startsWith('/api'))
    expect(proxy.requests.filter(({ status }) => status !== 200)).toEqual([])
    expect(requests.length).toBeLessThanOrEqual(60)
    const times = requests.filter(({ path }) => path.includes('event_callbacks')).map(({ at }) => at)
    expect(countPeak(times, 10_000)).toBeLessThanOrEqual(25)
    expect(
      countPeak(
        requests.map(({ at }) => at),
        60_000,
      ),
    ).toBeLessThanOrEqual(100)
  }, 180_000)

  it('begins with what happens from now on, prints it, and goes on where it was', async () => {
    const shop = await startShop()
    const { emulator, live, local, cwd, env } = shop
    await emulator.trigger('orders.place')
    const running = await startCli(flags(shop), { env, cwd })
    await running.lineWith('Forwarding shop to')
    await emulator.trigger('customers.create', { id: 'ofAFileAbc' })
    const line = await running.lineWith('customers.create')
    expect(line.replace(/^\d\d:\d\d:\d\d/, 'TIME').replace(/\d+ ms/, 'N ms')).toBe(
      'TIME  customers.create  customers/ofAFileAbc  200 handled  N ms',
    )
    running.child.kill('SIGINT')
    expect(await running.result()).toMatchObject({ exit: 130, stdout: '' })
    await emulator.trigger('orders.place') // While nobody listens.
    const { exit, objects } = await runCli(flags(shop, '--once', '--json'), { env, cwd })
    expect(exit).toBe(0)
    expect(objects()).toEqual([
      {
        topic: 'orders.place',
        eventId: live.ids[2],
        resource: expect.stringMatching(/^orders\/\w{10}$/),
        callbackId: emulator.eventCallbacks[2]?.id,
        createdAt: emulator.eventCallbacks[2]?.created_at,
        status: 200,
        answer: 'handled',
        durationMs: expect.any(Number),
      },
    ])
    expect(local.ids).toEqual(live.ids.slice(1))
    const since = emulator.eventCallbacks[0]?.created_at ?? ''
    const earlier = await runCli(flags(shop, '--once', '--since', since), { env, cwd })
    expect(earlier.stderr).toMatch(/\n1 event forwarded, 1 accepted\.\n$/)
    expect(local.ids).toEqual([...live.ids.slice(1), live.ids[0]])
    await runCli(flags(shop, '--once', '--since', '1h', '--again'), { env, cwd })
    expect(local.ids).toHaveLength(6)
  })

  it('keeps ids and times in a file that only its owner reads, and nothing of a payload', async () => {
    const shop = await startShop()
    await shop.emulator.trigger('orders.place', { customer: { email: 'zoe@example.com' } })
    await runCli(flags(shop, '--since', '1h', '--once'), shop)
    const folder = join(shop.cwd, 'state/hooklayer')
    const [file = '', ...others] = readdirSync(folder)
    expect(others).toEqual([])
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
    const [call] = shop.emulator.eventCallbacks
    const text = readFileSync(join(folder, file), 'utf8')
    const [from = '', ...lines] = text.split('\n')
    expect(from).toMatch(/^from \d{4}-\S+Z$/)
    expect(lines).toEqual([`call ${call?.created_at} ${call?.id} ${shop.live.ids[0]?.slice(0, 16)}`, ''])
  })

  it('signs with the local secret where there is one, and forwards only the topics that are wanted', async () => {
    const shop = await startShop()
    const secret = '0123456789abcdef0123456789abcdef'
    const other = await startTarget(() => secret)
    await shop.emulator.trigger('orders.place')
    await shop.emulator.trigger('customers.create')
    const args = ['listen', '--forward', other.url, '--since', '1h', '--once', '--topics', 'orders.place']
    const env = { ...shop.env, CL_SECRET_ORDERS__PLACE: secret }
    expect(await runCli(args, { ...shop, env })).toMatchObject({ exit: 0 })
    expect(other.ids).toEqual(shop.live.ids.slice(0, 1))
    const refused = await runCli([...args, '--again'], shop)
    expect(refused.exit).toBe(1)
    expect(refused.stderr).toContain('401 SIGNATURE_MISMATCH')
    expect(refused.stderr).toContain('1 event forwarded, 0 accepted.')
  })

  it('waits for a receiver that is not there yet, and ends with 4 with --once', async () => {
    const shop = await startShop()
    const { url, close } = await listen(createNodeListener(shop.local.receiver), '/webhooks')
    await close()
    await shop.emulator.trigger('orders.place')
    const args = ['listen', '--forward', url, '--since', '1h']
    const once = await runCli([...args, '--once'], shop)
    expect(once.exit).toBe(4)
    expect(once.stderr).toContain('Nothing listens there')
    const running = await startCli(args, shop)
    await running.lineWith('Waiting for 127.0.0.1:')
    const endpoint = await listen(createNodeListener(shop.local.receiver), '/webhooks')
    onTestFinished(endpoint.close)
    running.child.kill('SIGINT')
    expect(await running.result()).toMatchObject({ exit: 130 })
    expect(await runCli(flags(shop, '--since', '1h', '--once'), shop)).toMatchObject({ exit: 0 })
    expect(shop.local.ids).toEqual(shop.live.ids)
  })

  it('says that a circuit is open, and offers to close it', async () => {
    const shop = await startShop({ retries: 0 })
    const { emulator } = shop
    const [webhook] = emulator.webhooks
    const refuse = async () => {
      await shop.live.receiver.close()
      for (let count = 0; count < 30; count += 1) await emulator.trigger('orders.place')
      expect(emulator.webhooks[0]?.circuit_state).toBe('open')
    }
    await refuse()
    const told = await runCli(flags(shop, '--once'), shop)
    expect(told.exit).toBe(0)
    expect(told.stderr).toContain(`orders.place: the circuit of ${webhook?.id} is open`)
    expect(told.stderr).toContain(`\`hooklayer webhooks reset ${webhook?.id}\`, or --reset-circuits here, closes it.`)
    expect(emulator.webhooks[0]?.circuit_state).toBe('open')
    expect(await runCli(flags(shop, '--once', '--reset-circuits'), shop)).toMatchObject({ exit: 0 })
    expect(emulator.webhooks[0]?.circuit_state).toBe('closed')
    await refuse()
    const terminal = await startInTerminal(flags(shop, '--once'), shop)
    await terminal.lineWith(`Close the circuit of ${webhook?.id}?`)
    terminal.child.stdin.write('y')
    expect(await terminal.result()).toMatchObject({ exit: 0 })
    expect(emulator.webhooks[0]?.circuit_state).toBe('closed')
  })

  it('explains in one line what is wrong', async () => {
    const shop = await startShop()
    const gone = await listen(() => {})
    await gone.close()
    const wrong = [
      [['--since', 'yesterday'], {}, 2, '--since takes a duration such as 90s, 15m, 2h or 3d, or a date'],
      [['--forward', 'shop'], {}, 2, '--forward must be a URL'],
      [['--forward', 'https://shop.example/'], {}, 2, 'answer with --yes.'],
      [[], { CL_CLIENT_ID: '' }, 3, 'Set CL_CLIENT_ID in the environment'],
      [[], { CL_CLIENT_SECRET: 'wrong' }, 5, 'does not accept the client id and secret'],
      [[], { CL_API_URL: gone.url }, 4, 'could not be reached'],
    ] as const
    for (const [more, changes, exit, text] of wrong) {
      const result = await runCli(flags(shop, '--once', ...more), { cwd: shop.cwd, env: { ...shop.env, ...changes } })
      expect({ exit: result.exit, stdout: result.stdout }, text).toEqual({ exit, stdout: '' })
      expect(result.stderr).toMatch(/^.*\n$/)
      expect(result.stderr).toContain(text)
    }
    const { stderr } = await runCli(flags(shop, '--topics', 'orders.approve', '--once'), shop)
    expect(stderr).toContain('There is no webhook of these topics')
  })
})
