import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { findDefaultReceiver } from '../../src/cli/receiver/confirm-host.ts'
import { freePorts } from '../servers/process.ts'
import { createProject, maskOutput, type Running, runCli, startCli, startInTerminal } from './run-cli.ts'

/** A receiver as a shop has it. `PORT` is set by `dev`. */
const SHOP = `
import { createServer } from 'node:http'
import { createReceiver, secretsFromEnv } from 'hooklayer'
import { createNodeListener } from 'hooklayer/node'

const receiver = createReceiver({ secrets: secretsFromEnv(), logger: { warn() {}, error() {} } })
receiver.on('orders.place', ({ resource: order }) => console.log('order', order.number, order.customer_email, Date.now()))
receiver.on('customers.create', ({ resource: customer }) => console.log('customer', customer.email))
createServer(createNodeListener(receiver)).listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening', process.pid, process.env.PORT, Date.now())
})
`

/** The same with a responder, and a path that fails. Others are 404. */
const SHOP_WITH_TAXES = `
import { createServer } from 'node:http'
import { createReceiver, secretsFromEnv } from 'hooklayer'
import { createNodeListener } from 'hooklayer/node'
import { createResponder } from 'hooklayer/responder'

const logger = { warn() {}, error() {} }
const receiver = createReceiver({ secrets: secretsFromEnv(), logger })
receiver.on('orders.place', ({ resource: order }) => console.log('order', order.number))
const taxes = createResponder('tax', { secret: process.env.CL_SECRET_TAX, logger }, () => ({ tax_rate: 0.22 }))
const fail = (_, response) => response.writeHead(500).end()
const routes = { '/webhooks': createNodeListener(receiver), '/taxes': createNodeListener(taxes), '/fail': fail }
const none = (_, response) => response.writeHead(404).end('<p>\\n  Not here\\u009b</p>')
createServer((request, response) => (routes[request.url] ?? none)(request, response)).listen(process.env.PORT, '127.0.0.1')
`

const FILES = { 'shop.mjs': SHOP }
const ANY_PORT = ['--forward', 'http://127.0.0.1:0/webhooks', '--port', String(20_000 + (process.pid % 20_000))]

const dev = (...args: string[]) => ['dev', ...ANY_PORT, ...args]

/** Starts `dev` with the shop, until the first order was handled. */
async function startShop(...args: string[]): Promise<Running> {
  const running = await startCli(dev(...args, '--', 'node', 'shop.mjs'), { files: FILES })
  await running.lineWith('order 1234')
  return running
}

/** Waits for a delivery line that contains the text. */
function deliveryWith(running: Running, text: string): Promise<string> {
  return running.lineWith(text).then((line) => maskOutput(line).replace(/^\d\d:\d\d:\d\d/, 'CLOCK'))
}

function type(running: Running, line: string): void {
  running.child.stdin.write(`${line}\n`)
}

/** Processes with this word in their command line. */
function listProcesses(word: string): string[] {
  return execFileSync('ps', ['-eo', 'pid,stat,args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(word) && !/^\s*\d+ Z/.test(line))
}

async function isListening(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  )
}

describe('hooklayer dev', () => {
  it('starts the receiver with its secrets, and sends an order within 2 seconds of its port opening', async () => {
    const running = await startShop()
    const openedAt = Number((await running.lineWith('listening')).split(' ').at(-1))
    const handledAt = Number((await running.lineWith('order 1234')).split(' ').at(-1))
    expect(handledAt - openedAt).toBeLessThan(2000)
    expect(await deliveryWith(running, ' 200 handled')).toBe('CLOCK  orders.place  200 handled TIME')
    expect(running.output()).toMatch(/A local Commerce Layer listens at http:\/\/127\.0\.0\.1:\d+ and calls http/)
    type(running, 'q')
    expect(await running.result()).toMatchObject({ exit: 0 })
  })

  it('triggers a typed topic, repeats the last event with the same bytes, and says what a fault does', async () => {
    const running = await startShop('--topics', 'orders.place,customers.create')
    type(running, 'customers.create')
    await running.lineWith('customer john@example.com')
    type(running, 'orders.place')
    await running.lineWith('order 1236')
    type(running, 'r')
    await expect.poll(() => running.output().match(/order 1236/g)?.length).toBe(2)
    type(running, 'f wrong-signature')
    await running.lineWith('Faults from now on: wrong-signature')
    type(running, 'orders.place')
    expect(await deliveryWith(running, ' 401 SIGNATURE_MISMATCH')).toBe(
      'CLOCK  orders.place  401 SIGNATURE_MISMATCH TIME  fault: wrong-signature. It was signed with another secret on purpose.',
    )
    await running.lineWith('order 1237')
    type(running, 'f')
    await running.lineWith('Faults from now on: none')
    type(running, 'orders.eat')
    await running.lineWith('`orders.eat` is not a topic of Commerce Layer.')
    type(running, 'f nothing')
    await running.lineWith('A fault is one of duplicate, reorder')
  })

  it('asks a responder with the secret of its environment, and prints the answer or what comes in its place', async () => {
    const running = await startCli(dev('--ask', 'tax=/taxes', '--ask', 'prices=/none', '--', 'node', 'shop.mjs'), {
      files: { 'shop.mjs': SHOP_WITH_TAXES },
    })
    await running.lineWith('order 1234')
    expect(running.output()).toMatch(/Asks for tax at http:\/\/127\.0\.0\.1:\d+\/taxes/)
    type(running, 'a tax')
    expect(await deliveryWith(running, '  tax  ')).toBe('CLOCK  tax  200 accepted TIME  {"tax_rate":0.22}')
    type(running, 'a prices')
    expect(await deliveryWith(running, '  prices  ')).toBe(
      'CLOCK  prices  404 malformed TIME  <p> Not here\\u009b</p>  The answer is not a JSON object. Without an answer: ' +
        'The client is answered 422 while the circuit is open; otherwise it is not known.',
    )
    type(running, 'a promotion')
    await running.lineWith('It can ask for tax, prices: see --ask.')
    type(running, 'q')
    expect(await running.result()).toMatchObject({ exit: 0 })
  })

  it('says of a responder that the server has failed, and at last that its circuit is open', async () => {
    const running = await startCli(dev('--ask', 'tax=/fail', '--', 'node', 'shop.mjs'), {
      files: { 'shop.mjs': SHOP_WITH_TAXES },
    })
    await running.lineWith('order 1234')
    for (let i = 0; i < 31; i += 1) type(running, 'a tax')
    expect(await deliveryWith(running, 'unanswered')).toBe(
      'CLOCK  tax  500 unanswered TIME  The server failed. Its log says why. Without an answer: It is not known. The event ' +
        'orders.tax_calculation_failed is inferred.',
    )
    await expect.poll(() => running.output().match(/unanswered/g)?.length).toBe(31)
    type(running, 'a tax')
    expect(await deliveryWith(running, 'skipped')).toMatch(
      /—.* skipped TIME {2}The circuit is open, so nothing is asked/,
    )
  })

  it('asks what the configuration names, and prints an object with --json', async () => {
    const files = {
      'shop.mjs': SHOP_WITH_TAXES,
      'hooklayer.config.mjs': `
import { createReceiver, secretsFromEnv } from 'hooklayer'
import { defineConfig } from 'hooklayer/config'
export default defineConfig({ receiver: createReceiver({ secrets: secretsFromEnv() }), ask: { tax: '/taxes' } })`,
      '.env': 'CL_SECRET_TAX=0123456789abcdef-of-env\n',
    }
    const running = await startCli(dev('--json', '--', 'node', 'shop.mjs'), { files })
    await running.lineWith('"delivery"')
    type(running, 'a')
    const report = JSON.parse(await running.lineWith('"type":"answer"'))
    expect(report).toMatchObject({ type: 'answer', kind: 'tax', status: 200, outcome: 'accepted' })
    expect(report).toMatchObject({ answer: { tax_rate: 0.22 }, url: expect.stringMatching(/\/taxes$/) })
    expect(running.output()).not.toContain('of-env')
  })

  it.each([
    ['--ask', 'payment=/pay'],
    ['--ask', 'tax'],
    ['--ask', 'tax=ftp://shop.example'],
  ])('refuses %s %s', async (...flags) => {
    expect((await runCli(['dev', ...flags])).exit).toBe(2)
  })

  it.each([
    [
      'has another secret',
      SHOP.replace('secretsFromEnv()', `{ 'orders.place': '${'0'.repeat(32)}' }`),
      '401 SIGNATURE_MISMATCH TIME  CL_SECRET_ORDERS__PLACE has signed these bytes. The receiver has another secret for ' +
        'this topic, or something before it changes the body.',
    ],
    [
      'is mounted elsewhere',
      SHOP.replace('createNodeListener(receiver)', '(_, response) => response.writeHead(404).end()'),
      '404 Not Found TIME  Nothing is mounted at this path: compare it with the path of --forward.',
    ],
    [
      'has no handler',
      SHOP.replace("on('orders.place'", "on('orders.cancel'"),
      '200 ignored TIME  The receiver has no handler for this topic.',
    ],
    [
      'has a handler that fails',
      SHOP.replace('=> console.log(', "=> Promise.reject(new Error('broken')) ?? console.log("),
      '500 HANDLER_FAILED TIME  A handler threw an error. The log of the receiver has it.',
    ],
  ])('says why the first order had no effect where the receiver %s', async (_, shop, expected) => {
    const running = await startCli(dev('--', 'node', 'shop.mjs'), { files: { 'shop.mjs': shop } })
    expect(await deliveryWith(running, '  orders.place  ')).toBe(`CLOCK  orders.place  ${expected}`)
  })

  it('says that the circuit is open after 30 failures, and that nothing listens any more', async () => {
    const dying = SHOP.replace('=> console.log(', '=> setTimeout(() => process.exit(), 200) && console.log(')
    const running = await startCli(dev('--speed', '100000', '--', 'sh', '-c', 'node shop.mjs; sleep 60'), {
      files: { 'shop.mjs': dying },
    })
    await running.lineWith('200 handled')
    await expect.poll(() => fetch(String(running.output().match(/calls (\S+)/)?.[1])).catch(() => 'gone')).toBe('gone')
    for (let i = 0; i < 3; i += 1) type(running, 'orders.place')
    expect(await deliveryWith(running, 'The circuit is open')).toMatch(
      /— {1,2}Connection refused TIME {2}Nothing listens on 127\.0\.0\.1:PORT\. The circuit is open now, so nothing is called/,
    )
    type(running, 'orders.place')
    await running.lineWith('the circuit of its webhook is open')
  })

  it('gives the topics and includes of the configuration to the webhooks, before there is any secret', async () => {
    const config = `
      import { createReceiver, secretsFromEnv } from 'hooklayer'
      import { defineConfig } from 'hooklayer/config'
      const receiver = createReceiver({ secrets: secretsFromEnv(), logger: { warn() {}, error() {} } })
      receiver.on('customers.*', { include: ['customer_group'] }, () => {})
      export default defineConfig({ receiver, topics: ['customers.create', 'orders.place'], forward: '${ANY_PORT[1]}' })`
    const shop = SHOP.replace("'customers.create', (", "'customers.create', { include: ['customer_group'] }, (")
    const args = ['dev', ...ANY_PORT.slice(2), '--', 'node', 'shop.mjs']
    const running = await startCli(args, { files: { 'hooklayer.config.ts': config, 'shop.mjs': shop } })
    await running.lineWith('Topics: customers.create, orders.place')
    expect(await deliveryWith(running, ' 200 handled')).toBe('CLOCK  customers.create  200 handled TIME')
  })

  it('prints an object a line with --json, and the output of the receiver on stderr', async () => {
    const running = await startShop('--json')
    await running.lineWith('"type":"delivery"')
    type(running, 'q')
    const { objects, stderr } = await running.result()
    expect(objects()).toEqual([
      {
        type: 'listening',
        url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        forward: expect.stringMatching(/\/webhooks$/),
        topics: ['orders.place'],
        variables: expect.objectContaining({ CL_SECRET_ORDERS__PLACE: '********', CL_CLIENT_SECRET: '********' }),
        dashboard: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}$/),
      },
      {
        type: 'delivery',
        time: expect.any(String),
        topic: 'orders.place',
        url: expect.any(String),
        status: 200,
        answer: 'handled',
        durationMs: expect.any(Number),
      },
    ])
    expect(stderr).toContain('listening')
  })

  it('waits for a receiver that is started apart, whose variables it prints or writes for its owner only', async () => {
    const cwd = await createProject(FILES)
    const [port = 0] = await freePorts(1)
    const args = ['dev', '--forward', `http://127.0.0.1:${port}/webhooks`, ...ANY_PORT.slice(2)]
    const masked = await startCli(args, { cwd })
    await masked.lineWith('--show-secrets prints the secrets')
    expect(masked.output()).toContain('  CL_SECRET_ORDERS__PLACE=********\n  CL_API_URL=http://127.0.0.1:')
    expect(masked.output()).not.toMatch(/[0-9a-f]{32}/)
    type(masked, 'q')
    await masked.result()

    const writing = await startCli([...args, '--write-env', '.env.local', '--show-secrets'], { cwd })
    await writing.lineWith('.env.local has the variables')
    const file = `${cwd}/.env.local`
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const [secret] = /CL_SECRET_ORDERS__PLACE=[0-9a-f]{32}/.exec(readFileSync(file, 'utf8')) ?? []
    expect(secret).toBeDefined()
    const shop = startShopAlone(cwd, port)
    expect(await deliveryWith(writing, ' 200 handled')).toBe('CLOCK  orders.place  200 handled TIME')
    shop.kill()
    type(writing, 'q')
    await writing.result()

    const again = await startCli([...args, '--write-env', '.env.local'], { cwd })
    await again.lineWith('.env.local has the variables')
    expect(readFileSync(file, 'utf8')).toContain(secret)
    const foreign = { cwd, files: { '.env.mine': 'CL_CLIENT_SECRET=true' } }
    expect(await runCli([...args, '--write-env', '.env.mine'], foreign)).toMatchObject({
      exit: 2,
      stderr: '--write-env: .env.mine was not written by this command. Name a file that may be replaced.\n',
    })
    expect(readFileSync(`${cwd}/.env.mine`, 'utf8')).toBe('CL_CLIENT_SECRET=true')
  })

  it('calls the port that PORT names in the environment or in .env, unless a flag names another', async () => {
    const [port = 0, other = 0] = await freePorts(2)
    const files = { ...FILES, '.env': `PORT=${port}` }
    const running = await startCli(['dev', ...ANY_PORT.slice(2), '--', 'node', 'shop.mjs'], { files })
    expect(await running.lineWith('listens at')).toMatch(new RegExp(`calls http://127.0.0.1:${port}/webhooks$`))
    await running.lineWith('order 1234')
    type(running, 'q')
    await running.result()

    const chosen = await startCli(dev('--', 'node', 'shop.mjs'), { files, env: { PORT: String(other) } })
    expect(await chosen.lineWith('listening')).not.toMatch(new RegExp(` (${port}|${other}) `))
    await chosen.lineWith('order 1234')
  })

  it.each(['', '0', '65536', '3000x', '/run/shop.sock'])('takes port 3000 where PORT is "%s"', (PORT) => {
    expect(findDefaultReceiver({ PORT })).toBe('http://127.0.0.1:3000/webhooks')
  })

  it('takes the next port when its own is taken, and a secret that is set in .env', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const secret = '0123456789abcdef0123456789abcdef'
    const files = { '.env': `CL_SECRET_ORDERS__PLACE=${secret},${'f'.repeat(32)}` }
    const running = await startCli(['dev', '--port', String(port), '--show-secrets'], { files })
    const line = await running.lineWith('listens at')
    expect(line).not.toContain(`:${port} `)
    await running.lineWith(`  CL_SECRET_ORDERS__PLACE=${secret}`)
  })
})

describe('the end of hooklayer dev', () => {
  it('has the exit code of the receiver when that ends, and takes the rest of its processes along', async () => {
    const script = 'node -e "setInterval(() => {}, 1000) // of-dev-rest" & sleep 0.3; exit 7'
    const { exit, stderr } = await runCli(dev('--', 'sh', '-c', script))
    expect({ exit, stderr }).toEqual({ exit: 7, stderr: expect.stringContaining('has ended with 7.') })
    expect(listProcesses('of-dev-rest')).toEqual([])
    expect(await runCli(dev('--', 'sh', '-c', 'kill -TERM $$'))).toMatchObject({ exit: 143 })
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 130],
    ['SIGKILL', 'SIGKILL'],
  ] as const)(
    'leaves no process and no port behind on %s, before and after the receiver listens',
    async (signal, end) => {
      for (const text of ['listens at', 'order 1234']) {
        const word = `of-dev-${signal}-${text.length}-${process.pid}`
        const running = await startCli(dev('--', 'sh', '-c', `node shop.mjs ${word}; true`), { files: FILES })
        const url = (await running.lineWith('listens at')).split(' ')[5] ?? ''
        if (text === 'listens at') await expect.poll(() => listProcesses(word).length).toBeGreaterThan(1)
        await running.lineWith(text)
        running.child.kill(signal)
        expect(await running.result()).toMatchObject({ exit: end })
        expect(await isListening(url)).toBe(false)
        await expect.poll(() => listProcesses(word), { timeout: 5000 }).toEqual([])
      }
    },
  )

  it('kills a receiver that does not end by SIGTERM', async () => {
    const stubborn = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('stubborn') // of-dev-stubborn`
    const running = await startCli(dev('--', 'node', '-e', stubborn))
    await running.lineWith('stubborn')
    running.child.kill('SIGTERM')
    expect(await running.result()).toMatchObject({ exit: 130 })
    expect(listProcesses('of-dev-stubborn')).toEqual([])
  })

  it.each([
    [['--', 'no-such-program'], 127, 'no-such-program has ended with 127.\n'],
    [
      ['--topics', 'orders.eat', '--', 'true'],
      2,
      'orders.eat is not in the catalog of topics. Did you mean orders.pay?\n',
    ],
    [['--faults', 'nothing=1'], 2, expect.stringContaining('A fault is one of duplicate, ')],
    [['--speed', '0', '--', 'true'], 2, '`--speed` must be a number over 0.\n'],
    [[], 2, '--forward: port 0 is a free port for a program, and there is none after --.\n'],
    [['--forward', 'http://shop.invalid/'], 2, expect.stringContaining('answer with --yes.')],
  ])('refuses %j in one line', async (args, exit, stderr) => {
    const result = await runCli(dev(...args))
    expect(result).toMatchObject({ exit, stderr: expect.anything() })
    expect(result.stderr.split('\n').slice(-2).join('\n')).toEqual(stderr)
  })

  it('refuses to start a receiver where another one listens already', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const args = ['dev', '--forward', `http://127.0.0.1:${port}/webhooks`, '--', 'touch', 'started']
    const cwd = await createProject()
    expect(await runCli(args, { cwd })).toMatchObject({
      exit: 3,
      stderr:
        `Something listens on 127.0.0.1:${port} already, and would get the deliveries. ` +
        'Stop it, or name another port with --forward.\n',
    })
    expect(existsSync(`${cwd}/started`)).toBe(false)
  })
})

describe('hooklayer dev in a terminal', () => {
  it('takes keys: t asks for a topic and completes it, r repeats, f asks for a fault, d prints, q quits', async () => {
    const args = dev('--topics', 'orders.place,orders.pay,customers.create', '--', 'node', 'shop.mjs')
    const running = await startInTerminal(args, { files: FILES })
    await running.lineWith('t trigger · r repeat the last · f faults · d dashboard · q quit')
    await running.lineWith('order 1234')
    const { stdin } = running.child
    stdin.write('t')
    await running.lineWith('Which topic?')
    stdin.write('cust')
    await wait(300)
    stdin.write('\r')
    await running.lineWith('customer john@example.com')
    stdin.write('r')
    await expect.poll(() => running.output().match(/customer john/g)?.length).toBe(2)
    stdin.write('f')
    await running.lineWith('Which fault')
    stdin.write('\u001b[B\r')
    await running.lineWith('Faults from now on: duplicate')
    stdin.write('d')
    await expect.poll(() => running.output().match(/Dashboard: http/g)?.length).toBe(2)
    stdin.write('q')
    expect(await running.result()).toMatchObject({ exit: 0 })
  })

  it('takes the key a, which asks for what is chosen', async () => {
    const args = dev('--ask', 'prices=/none', '--ask', 'tax=/taxes', '--', 'node', 'shop.mjs')
    const running = await startInTerminal(args, { files: { 'shop.mjs': SHOP_WITH_TAXES } })
    await running.lineWith('t trigger · r repeat the last · a ask · f faults · d dashboard · q quit')
    await running.lineWith('order 1234')
    running.child.stdin.write('a')
    await running.lineWith('Ask for what?')
    running.child.stdin.write('\u001b[B\r')
    await running.lineWith('{"tax_rate":0.22}')
    running.child.stdin.write('q')
    expect(await running.result()).toMatchObject({ exit: 0 })
  })

  it('ends on Ctrl-C with 130, also while it asks, and leaves no process behind', async () => {
    const args = dev('--topics', 'orders.place,orders.pay', '--', 'node', 'shop.mjs', 'of-dev-terminal')
    const running = await startInTerminal(args, { files: FILES })
    await running.lineWith('order 1234')
    running.child.stdin.write('t')
    await running.lineWith('Which topic?')
    running.child.stdin.write('\x03') // Cancels the question.
    await wait(300)
    running.child.stdin.write('\x03')
    expect(await running.result()).toMatchObject({ exit: 130, stdout: expect.stringContaining('Interrupted.') })
    await expect.poll(() => listProcesses('of-dev-terminal')).toEqual([])
  })
})

/** Starts the shop by itself, with the variables of the file. */
function startShopAlone(cwd: string, port: number) {
  const env = { PATH: process.env.PATH, PORT: String(port) }
  const shop = spawn(process.execPath, ['--env-file=.env.local', 'shop.mjs'], { cwd, env, stdio: 'ignore' })
  onTestFinished(() => void shop.kill('SIGKILL'))
  return shop
}
