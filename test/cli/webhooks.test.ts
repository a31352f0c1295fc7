import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startCommerceLayer } from '../management/harness.ts'
import { toEnv } from './api-proxy.ts'
import { createProject, runCli, startInTerminal } from './run-cli.ts'

const URL = 'https://shop.example/webhooks'

const CONFIG = `
import { createReceiver, secretsFromEnv } from 'hooklayer'
import { defineConfig } from 'hooklayer/config'

const receiver = createReceiver({ secrets: secretsFromEnv() })
receiver.on('orders.place', { include: ['customer'] }, () => {})
receiver.on('customers.create', () => {})
export default defineConfig({ receiver, callbackUrl: '${URL}' })
`

async function startShop() {
  const { emulator, api } = await startCommerceLayer({ logger: { warn() {} } })
  const cwd = await createProject({ 'hooklayer.config.ts': CONFIG })
  return { emulator, api, cwd, env: toEnv(emulator) }
}

describe('hooklayer webhooks', () => {
  it('plans what is missing with 1, applies it, and then plans nothing with 0', async () => {
    const { emulator, cwd, env } = await startShop()
    const plan = await runCli(['webhooks', 'plan'], { cwd, env })
    expect(plan).toMatchObject({
      exit: 1,
      stdout: '',
      stderr: [
        'create  customers.create  No webhook subscribes to it. Includes: nothing.',
        'create  orders.place      No webhook subscribes to it. Includes: customer.',
        '',
      ].join('\n'),
    })
    expect(emulator.webhooks).toEqual([])
    const applied = await runCli(['webhooks', 'apply'], { cwd, env })
    expect(applied).toMatchObject({
      exit: 0,
      stdout: '',
      stderr: [
        plan.stderr.trimEnd(),
        '2 of 2 changes are made.',
        'CL_SECRET_CUSTOMERS__CREATE=********',
        'CL_SECRET_ORDERS__PLACE=********',
        'The receiver needs these secrets: `webhooks list --show-secrets` prints them.',
        '',
      ].join('\n'),
    })
    expect(await runCli(['webhooks', 'plan'], { cwd, env })).toMatchObject({
      exit: 0,
      stdout: '',
      stderr: '2 webhooks need no change.\n',
    })
    expect((await runCli(['webhooks', 'plan', '--json'], { cwd, env })).objects()).toEqual([
      expect.objectContaining({ action: 'keep', topic: 'customers.create' }),
      expect.objectContaining({ action: 'keep', topic: 'orders.place' }),
    ])
  })

  it('writes the secrets to a file that only its owner reads, and keeps what else is there', async () => {
    const { emulator, cwd, env } = await startShop()
    const files = { '.env': '# ours\nPORT=3000\nCL_SECRET_ORDERS__PLACE=0123456789abcdef\n' }
    const { exit, stdout, stderr } = await runCli(['webhooks', 'apply', '--write-env', '.env'], { cwd, env, files })
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: '' })
    const secrets = emulator.webhooks.map(({ shared_secret }) => shared_secret)
    expect(readFileSync(join(cwd, '.env'), 'utf8')).toBe(
      `# ours\nPORT=3000\nCL_SECRET_CUSTOMERS__CREATE=${secrets[0]}\nCL_SECRET_ORDERS__PLACE=${secrets[1]}\n`,
    )
    for (const secret of secrets) expect(stderr).not.toContain(secret)
    await runCli(['webhooks', 'apply', '--write-env', 'new.env'], { cwd, env })
    expect(statSync(join(cwd, 'new.env')).mode & 0o777).toBe(0o600)
    const shown = await runCli(['webhooks', 'list', '--json', '--show-secrets'], { cwd, env })
    expect(shown.objects()).toMatchObject(secrets.map((secret) => ({ secret })))
  })

  it('writes no secret to a file of dev, which replaces it', async () => {
    const { cwd, env } = await startShop()
    const text =
      '# Written by `hooklayer dev`, which replaces this file. Its secrets are of this machine only.\nPORT=1\n'
    const files = { '.env.local': text }
    const { exit, stderr } = await runCli(['webhooks', 'apply', '--write-env', '.env.local'], { cwd, env, files })
    expect({ exit, stderr }).toEqual({
      exit: 2,
      stderr: expect.stringContaining('.env.local is a file of hooklayer dev'),
    })
    expect(readFileSync(join(cwd, '.env.local'), 'utf8')).toBe(text)
  })

  it('asks before it deletes, and deletes nothing without an answer', async () => {
    const { emulator, api, cwd, env } = await startShop()
    await api.webhooks.create({ topic: 'returns.request', callbackUrl: URL, referenceOrigin: 'hooklayer' })
    const unasked = await runCli(['webhooks', 'apply'], { cwd, env })
    expect(unasked).toMatchObject({ exit: 2, stdout: '' })
    expect(unasked.stderr).toContain('Delete 1 webhook? Nobody can be asked here: answer with --yes.\n')
    const refused = await startInTerminal(['webhooks', 'apply'], { cwd, env })
    await refused.lineWith('Delete 1 webhook?')
    refused.child.stdin.write('n')
    expect(await refused.result()).toMatchObject({ exit: 130 })
    expect(emulator.webhooks.map(({ topic }) => topic)).toEqual(['returns.request'])
    const agreed = await startInTerminal(['webhooks', 'apply'], { cwd, env })
    await agreed.lineWith('Delete 1 webhook?')
    agreed.child.stdin.write('y')
    expect(await agreed.result()).toMatchObject({ exit: 0 })
    expect(emulator.webhooks.map(({ topic }) => topic)).toEqual(['customers.create', 'orders.place'])
  })

  it('lists topic, URL, circuit and how many failures are left, and resets circuits', async () => {
    const { emulator, api, cwd, env } = await startShop()
    const gone = 'http://127.0.0.1:9/webhooks'
    const create = (topic: string, disabled = false) => api.webhooks.create({ topic, callbackUrl: gone, disabled })
    const [place, customer, { id }] = [
      await create('orders.place'),
      await create('customers.create'),
      await create('returns.request', true),
    ]
    for (let count = 0; count < 3; count += 1) await emulator.trigger('orders.place')
    await emulator.trigger('customers.create')
    await emulator.settled()
    const listed = await runCli(['webhooks', 'list'], { cwd, env })
    expect(listed).toMatchObject({
      exit: 0,
      stdout: '',
      stderr: [
        'topic             url                          circuit   failures left  id',
        `orders.place      http://127.0.0.1:9/webhooks  open                  0  ${place.id}`,
        `customers.create  http://127.0.0.1:9/webhooks  closed               19  ${customer.id}`,
        `returns.request   http://127.0.0.1:9/webhooks  disabled             30  ${id}`,
        '',
      ].join('\n'),
    })
    expect(await runCli(['webhooks', 'reset'], { cwd, env })).toMatchObject({
      exit: 0,
      stderr: 'orders.place → http://127.0.0.1:9/webhooks: the circuit is closed.\n',
    })
    expect(await runCli(['webhooks', 'reset'], { cwd, env })).toMatchObject({
      exit: 0,
      stderr: 'No circuit is open.\n',
    })
    await runCli(['webhooks', 'reset', customer.id], { cwd, env })
    expect(emulator.webhooks.map(({ circuit_failure_count }) => circuit_failure_count)).toEqual([0, 0, 0])
    const unknown = await runCli(['webhooks', 'reset', 'orders.approve'], { cwd, env })
    const stderr = 'There is no webhook of the topic or with the id orders.approve.\n'
    expect(unknown).toMatchObject({ exit: 2, stderr })
  })

  it('explains in one line what is wrong', async () => {
    const { cwd, env } = await startShop()
    const empty = await createProject()
    const wrong = [
      [['plan'], { cwd: empty, env }, 3, 'There is no hooklayer.config.ts in this folder'],
      [['plan'], { cwd, env: { ...env, CL_ORGANIZATION: '' } }, 3, 'Set CL_ORGANIZATION in the environment'],
      [['plan', '--url', 'shop'], { cwd, env }, 2, '--url must be a URL'],
      [['plan', '--url', 'http://shop.example'], { cwd, env }, 3, 'plan: `callbackUrl` must start with https://'],
      [['list'], { cwd, env: { ...env, CL_CLIENT_SECRET: 'wrong' } }, 5, 'does not accept the client id and secret'],
      [['lst'], { cwd, env }, 2, "Unknown command 'lst'. Did you mean list? See --help."],
      [['rotate', 'orders.place', '--probes', '0'], { cwd, env }, 2, 'It must be a whole number from 1 to 1000.'],
      [['rotate', 'orders.place'], { cwd: empty, env }, 2, 'There is no URL: pass --url'],
    ] as const
    for (const [args, options, exit, text] of wrong) {
      const result = await runCli(['webhooks', ...args], options)
      expect({ exit: result.exit, stdout: result.stdout }, text).toEqual({ exit, stdout: '' })
      expect(result.stderr).toMatch(/^.*\n$/)
      expect(result.stderr).toContain(text)
    }
  })

  it.each(['plan', 'apply', 'list', 'reset', 'rotate'])('%s has --help with two examples, and --json', async (name) => {
    const { exit, stdout, stderr } = await runCli(['webhooks', name, '--help'])
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout.match(/^ {2}\$ npx hooklayer webhooks /gm)).toHaveLength(2)
    for (const flag of ['--json', '--verbose', '--help']) expect(stdout).toContain(flag)
  })
})
