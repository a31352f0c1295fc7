import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createReceiver, type Receiver } from 'hooklayer'
import { createEmulator, type Emulator, type EmulatorOptions } from 'hooklayer/emulator'
import { createNodeListener } from 'hooklayer/node'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../contracts/adapter/listen.ts'
import { recordingLogger } from '../deliveries.ts'
import { connect, startEndpoint } from '../management/harness.ts'
import { createProject, runCli, runInTerminal, startInTerminal } from './run-cli.ts'

const SECRET = '0123456789abcdef0123456789abcdef'

interface Shop {
  readonly emulator: Emulator
  readonly url: string
  readonly env: Record<string, string>
  answer(status: number): void
  serve(receiver: Receiver): void
}

/** An emulator with a webhook of `orders.place`, whose endpoint fails. */
async function startShop(options: EmulatorOptions = {}): Promise<Shop> {
  const logger = recordingLogger().logger
  const emulator = await createEmulator({ organization: 'shop', secret: SECRET, retries: 0, logger, ...options })
  onTestFinished(() => emulator.close())
  const endpoint = await startEndpoint()
  endpoint.answer(500)
  const env = toEnv(emulator)
  await connect(emulator).webhooks.create({ topic: 'orders.place', callbackUrl: endpoint.url })
  return { emulator, env, ...endpoint }
}

function toEnv({ url, organization, clientId, clientSecret }: Emulator): Record<string, string> {
  return { CL_API_URL: url, CL_ORGANIZATION: organization, CL_CLIENT_ID: clientId, CL_CLIENT_SECRET: clientSecret }
}

/** A configuration whose handler writes what it has handled to a file, and fails while there is a file `broken`. */
const CONFIG = `import { appendFileSync, existsSync } from 'node:fs'
import { createReceiver } from 'hooklayer'
import { defineConfig } from 'hooklayer/config'
const logger = { warn() {}, error() {} }
const receiver = createReceiver({ secrets: 'not used by the commands', logger })
receiver.on('orders.place', ({ resource }) => {
  console.log('handled', resource.id)
  if (existsSync('broken')) throw new Error('still broken')
  appendFileSync('handled', resource.id + ' ')
})
export default defineConfig({ receiver })
`

const maskTimes = (text: string) => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'.padEnd(24))

describe('hooklayer callbacks', () => {
  it('lists calls, the newest first, and shows one, without personal data', async () => {
    const { emulator, env, answer } = await startShop()
    await emulator.trigger('orders.place', { id: 'firstOrder' })
    answer(200)
    await emulator.trigger('orders.place', { id: 'secondOrder' })
    const [first, second] = emulator.eventCallbacks
    const listed = await runCli(['callbacks', 'list'], { env })
    expect({ ...listed, stderr: maskTimes(listed.stderr) }).toMatchObject({
      exit: 0,
      stdout: '',
      stderr: [
        'id          time                      topic         resource            status  answer',
        `${second?.id}  TIME                      orders.place  orders/secondOrder     200  OK`,
        `${first?.id}  TIME                      orders.place  orders/firstOrder      500  Internal Server Error`,
        '',
      ].join('\n'),
    })
    const page = await runCli(['callbacks', 'list', '--limit', '1'], { env })
    expect(page.stderr).toContain('There are more: add --until ')
    const failed = await runCli(['callbacks', 'list', '--failed', '--since', '1h', '--json'], { env })
    expect(failed.objects()).toEqual([
      {
        id: first?.id,
        createdAt: expect.any(String),
        topic: 'orders.place',
        url: expect.stringContaining('/webhooks'),
        responseCode: '500',
        responseMessage: 'Internal Server Error',
        resource: 'orders/firstOrder',
        webhookId: emulator.webhooks[0]?.id,
      },
    ])
    const shown = await runCli(['callbacks', 'show', String(first?.id)], { env })
    expect(shown.stderr).toContain('resource  orders/firstOrder\n')
    expect(shown.stderr).not.toContain('@example.com')
    const withData = await runCli(['callbacks', 'show', String(first?.id), '--show-data', '--json'], { env })
    expect(withData.objects()).toMatchObject([{ payload: { data: { id: 'firstOrder' } } }])
    expect(await runCli(['callbacks', 'show', 'xYZkjABcde'], { env })).toMatchObject({
      exit: 1,
      stderr: expect.stringMatching(/^Commerce Layer answered 404 RECORD_NOT_FOUND\.[^\n]*\n$/),
    })
  })

  it('handles each event of the calls once with the receiver of the configuration', async () => {
    const { emulator, env } = await startShop({ retries: 2, retryDelayMs: () => 1 })
    await emulator.trigger('orders.place', { id: 'firstOrder' })
    await emulator.settled()
    await emulator.trigger('orders.place', { id: 'secondOrder' })
    await emulator.settled()
    expect(emulator.eventCallbacks).toHaveLength(6)
    const cwd = await createProject({ 'hooklayer.config.ts': CONFIG })
    const one = await runCli(['callbacks', 'redeliver', String(emulator.eventCallbacks[0]?.id)], { env, cwd })
    expect(one).toMatchObject({
      exit: 0,
      stdout: '',
      stderr: 'handled firstOrder\norders.place orders/firstOrder: handled\n',
    })
    const flags = ['callbacks', 'redeliver', '--failed', '--since', '1h']
    expect(await runCli(flags, { env, cwd })).toMatchObject({
      exit: 2,
      stderr: '2 events will be handled again. Redeliver them? Nobody can be asked here: answer with --yes.\n',
    })
    const asked = await startInTerminal(flags, { env, cwd })
    await asked.lineWith('Redeliver them?')
    asked.child.stdin.write('y')
    const { exit, stdout } = await asked.result()
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: expect.stringContaining('2 redelivered, 0 of them failed.') })
    expect(readFileSync(join(cwd, 'handled'), 'utf8')).toBe('firstOrder firstOrder secondOrder ')
    writeFileSync(join(cwd, 'broken'), '')
    const failing = await runCli([...flags, '--yes', '--json'], { env, cwd })
    expect(failing.exit).toBe(1)
    expect(failing.objects()).toMatchObject([{ outcome: 'HANDLER_FAILED' }, { outcome: 'HANDLER_FAILED' }])
  })

  it('sends an event to a URL, signed', async () => {
    const { emulator, env } = await startShop()
    await emulator.trigger('orders.place', { id: 'firstOrder' })
    const handled: string[] = []
    const receiver = createReceiver({ secrets: { 'orders.place': SECRET } })
    receiver.on('orders.place', ({ resource }) => void handled.push(resource.id))
    const { url, close } = await listen(createNodeListener(receiver), '/webhooks')
    onTestFinished(close)
    const flags = ['callbacks', 'redeliver', '--since', '1h', '--to', url]
    const sent = await runCli([...flags, '--secret', SECRET], { env })
    expect(sent).toMatchObject({ exit: 0, stderr: 'orders.place orders/firstOrder: 200 handled\n' })
    const forged = await runCli([...flags, '--secret', 'another secret of the shop'], { env })
    expect(forged).toMatchObject({ exit: 1, stderr: 'orders.place orders/firstOrder: 401 SIGNATURE_MISMATCH\n' })
    expect(handled).toEqual(['firstOrder'])
    const elsewhere = await runCli(['callbacks', 'redeliver', '--since', '1h', '--to', 'http://shop.invalid'], { env })
    expect(elsewhere).toMatchObject({ exit: 2, stderr: expect.stringContaining('answer with --yes') })
  })

  it('does not handle an event under the topic that its webhook was given later', async () => {
    const { emulator, env } = await startShop()
    await emulator.trigger('orders.place', { id: 'firstOrder' })
    await connect(emulator).webhooks.update(String(emulator.webhooks[0]?.id), { topic: 'orders.cancel' })
    const cwd = await createProject({ 'hooklayer.config.ts': CONFIG })
    const [{ id = '' } = {}] = emulator.eventCallbacks
    const { exit, stderr } = await runCli(['callbacks', 'redeliver', id], { env, cwd })
    expect({ exit, stderr }).toEqual({
      exit: 1,
      stderr: `${id} was left out: its webhook was changed since, and may have had another topic than orders.cancel. Name it with --topic.\nThere is nothing to redeliver.\n`,
    })
    const named = await runCli(['callbacks', 'redeliver', id, '--topic', 'orders.place', '--json'], { env, cwd })
    expect(named.objects()).toMatchObject([{ topic: 'orders.place', outcome: 'handled' }])
  })

  it.each([
    [['redeliver'], 'Give ids of event callbacks, or filters such as --since 2h --failed.'],
    [['redeliver', 'id', '--failed'], 'Give ids of event callbacks, or filters such as --since 2h --failed.'],
    [['list', '--since', 'yesterday'], '--since takes a duration such as 90s, 15m, 2h or 3d, or a date'],
    [['list', '--since', '2026-13-01'], '--since: "2026-13-01" is not a date'],
    [['show', 'a/b'], 'eventCallbacks.retrieve: `id` must be an id.'],
    [['list', '--topic', 'orders'], 'eventCallbacks.list: `topic` must be a topic such as orders.place.'],
  ])('refuses %j in one line, with 2', async (args, line) => {
    const env = {
      CL_ORGANIZATION: 'shop',
      CL_CLIENT_ID: 'id',
      CL_CLIENT_SECRET: 'secret',
      CL_API_URL: 'http://127.0.0.1:2',
    }
    const files = { 'hooklayer.config.ts': CONFIG }
    const { exit, stdout, stderr } = await runCli(['callbacks', ...args], { env, files })
    expect({ exit, stdout, stderr }).toEqual({ exit: 2, stdout: '', stderr: expect.stringMatching(/^[^\n]+\n$/) })
    expect(stderr).toContain(line)
  })
})

describe('hooklayer recover', () => {
  it('runs the handlers for what has failed, and continues where it was', async () => {
    const { emulator, env, answer } = await startShop()
    for (const id of ['firstOrder', 'secondOrder']) await emulator.trigger('orders.place', { id })
    answer(200)
    await emulator.trigger('orders.place', { id: 'thirdOrder' })
    const cwd = await createProject({ 'hooklayer.config.ts': CONFIG, broken: '' })
    const dry = await runCli(['recover', '--since', '1h', '--dry-run'], { env, cwd })
    expect(dry).toMatchObject({
      exit: 0,
      stdout: '',
      stderr: [
        'orders.place orders/firstOrder: would-recover',
        'orders.place orders/secondOrder: would-recover',
        '2 would be recovered.',
        '',
      ].join('\n'),
    })
    const flags = ['recover', '--since', '1h', '--cursor', 'recovery.json']
    const broken = await runCli([...flags, '--json'], { env, cwd })
    expect(broken.exit).toBe(1)
    expect(broken.objects()).toMatchObject([
      { result: 'failed', resource: 'orders/firstOrder', error: 'HANDLER_FAILED: A handler failed.' },
      { result: 'failed', resource: 'orders/secondOrder' },
      { recovered: 0, failed: 2, complete: true },
    ])
    rmSync(join(cwd, 'broken'))
    const mended = await runInTerminal(flags, { env, cwd })
    expect(mended).toMatchObject({ exit: 0, stdout: expect.stringContaining('2 recovered.') })
    const again = await runCli(flags, { env, cwd })
    expect(again).toMatchObject({ exit: 0, stderr: 'Nothing has failed.\n' })
    expect(readFileSync(join(cwd, 'handled'), 'utf8')).toBe('firstOrder secondOrder ')
  })

  it('refuses a missing time, a wrong cursor and a folder without a configuration', async () => {
    const env = { CL_ORGANIZATION: 'shop', CL_CLIENT_ID: 'id', CL_CLIENT_SECRET: 'secret' }
    const files = { 'hooklayer.config.ts': CONFIG, 'cursor.json': 'none', 'other.json': '{"asOf":1}' }
    const run = async (...args: string[]) => {
      const { exit, stderr } = await runCli(['recover', ...args], { env, files })
      return { exit, stderr }
    }
    expect(await run()).toEqual({ exit: 2, stderr: 'The flag --since <time> is missing. See --help.\n' })
    expect(await run('--since', '1h', '--cursor', 'cursor.json')).toEqual({
      exit: 2,
      stderr: '--cursor: cursor.json is not a cursor that `recover` has written.\n',
    })
    expect(await run('--since', '1h', '--cursor', 'other.json')).toMatchObject({
      exit: 2,
      stderr: expect.stringMatching(/^recover: [^\n]+\n$/),
    })
    expect(await runCli(['recover', '--since', '1h'], { env })).toMatchObject({ exit: 3 })
  })
})

describe('hooklayer health', () => {
  it('shows the circuits, and exits with 1 when one is open or nearly', async () => {
    const { emulator, env, answer, url } = await startShop()
    answer(200)
    await emulator.trigger('orders.place')
    const healthy = await runCli(['health'], { env })
    expect(healthy).toMatchObject({
      exit: 0,
      stdout: '',
      stderr: [
        'topic         circuit  failures  left  calls/h  failed  url',
        `orders.place  closed          0    30        1     0 %  ${url}`,
        '',
      ].join('\n'),
    })
    answer(500)
    for (let at = 0; at < 21; at += 1) await emulator.trigger('orders.place')
    const nearly = await runCli(['health'], { env })
    expect(nearly).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('orders.place: 9 more failures open its circuit.\n'),
    })
    for (let at = 0; at < 9; at += 1) await emulator.trigger('orders.place')
    const open = await runCli(['health', '--json'], { env })
    expect(open.exit).toBe(1)
    expect(open.objects()).toMatchObject([{ topic: 'orders.place', circuit: 'open', failuresLeft: 0 }])
    expect(await runCli(['health', '--topic', 'customers.create'], { env })).toMatchObject({
      exit: 0,
      stderr: 'There is no such webhook.\n',
    })
  })
})

describe('commands that ask Commerce Layer', () => {
  it.each([[['callbacks', 'list']], [['health']]])(
    'say of %j that credentials are refused or missing',
    async (args) => {
      const { env } = await startShop()
      expect(await runCli(args, { env: { ...env, CL_CLIENT_SECRET: 'wrong' } })).toMatchObject({
        exit: 5,
        stderr: 'Commerce Layer does not accept the client id and secret.\n',
      })
      expect(await runCli(args)).toMatchObject({
        exit: 3,
        stderr: expect.stringMatching(/^Set CL_ORGANIZATION, CL_CLIENT_ID, CL_CLIENT_SECRET in .*\n$/),
      })
      expect(await runCli(args, { env: { ...env, CL_API_URL: 'http://127.0.0.1:2' } })).toMatchObject({
        exit: 4,
        stderr: 'Commerce Layer could not be reached. (ECONNREFUSED)\n',
      })
    },
    60_000,
  )

  it('wait for the rate limit, with every call once', async () => {
    const { emulator, env } = await startShop({ rateLimit: true, maxEventCallbacks: 2000 })
    for (let at = 0; at < 29; at += 1) await emulator.trigger('orders.place')
    const startedAt = performance.now()
    // The emulator answers 25 requests in ten seconds.
    const all = await Promise.all(
      Array.from({ length: 14 }, () => runCli(['callbacks', 'list', '--limit', '100', '--json'], { env })),
    )
    for (const { exit, objects } of all) expect({ exit, count: objects().length }).toEqual({ exit: 0, count: 29 })
    expect(performance.now() - startedAt).toBeGreaterThan(3000)
  }, 120_000)

  it('say that the rate limit is reached, with 6, where it would take more than two minutes', async () => {
    const { emulator, env } = await startShop()
    // As Commerce Layer answers while the limit of an organization is used up for an hour.
    const front = await listen(async (request, response) => {
      if (request.url?.startsWith('/oauth')) {
        const body = await text(request)
        const answer = await fetch(`${emulator.url}${request.url}`, {
          method: 'POST',
          headers: { 'content-type': String(request.headers['content-type']) },
          body,
        })
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
      } else response.writeHead(429, { 'x-ratelimit-interval': '3600', 'x-ratelimit-remaining': '0' }).end('{}')
    }, '')
    onTestFinished(front.close)
    expect(await runCli(['callbacks', 'list'], { env: { ...env, CL_API_URL: front.url } })).toMatchObject({
      exit: 6,
      stderr: 'The rate limit of Commerce Layer does not allow the request within two minutes.\n',
    })
  })
})
