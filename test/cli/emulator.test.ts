import { createReceiver } from 'hooklayer'
import { createNodeListener } from 'hooklayer/node'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../contracts/adapter/listen.ts'
import { maskOutput, runCli, startCli } from './run-cli.ts'

const SECRET = '0123456789abcdef0123456789abcdef'

async function startShop(): Promise<{ readonly url: string; readonly ids: string[] }> {
  const ids: string[] = []
  const secrets = { 'orders.place': SECRET, 'customers.create': SECRET.replaceAll('0', 'e') }
  const receiver = createReceiver({ secrets, logger: { warn() {}, error() {} } })
  receiver.on('*', ({ topic, id }) => void ids.push(`${topic} ${id}`))
  const { url, close } = await listen(createNodeListener(receiver), '/webhooks')
  onTestFinished(close)
  return { url, ids }
}

describe('hooklayer emulator', () => {
  it('sends one sample of each topic with the secrets of .env, and prints no secret', async () => {
    const { url, ids } = await startShop()
    const customers = SECRET.replaceAll('0', 'e')
    const files = { '.env': `CL_SECRET_ORDERS__PLACE=${SECRET}\nCL_SECRET_CUSTOMERS__CREATE=${customers}` }
    const args = ['emulator', '--topics', 'orders.place,customers.create', '--forward', url, '--send']
    const { exit, stdout, stderr } = await runCli(args, { files })
    expect({ exit, stdout, stderr: maskOutput(stderr) }).toEqual({
      exit: 0,
      stdout: '',
      stderr:
        'orders.place: a webhook calls http://127.0.0.1:PORT/webhooks. ' +
        'Start the receiver with CL_SECRET_ORDERS__PLACE=********\n' +
        'customers.create: a webhook calls http://127.0.0.1:PORT/webhooks. ' +
        'Start the receiver with CL_SECRET_CUSTOMERS__CREATE=********\n' +
        'orders.place → http://127.0.0.1:PORT/webhooks: 200 OK\n' +
        'customers.create → http://127.0.0.1:PORT/webhooks: 200 OK\n',
    })
    expect(ids).toHaveLength(2)
  })

  it('injects the faults that are given, and prints each call as an object with --json', async () => {
    const { url, ids } = await startShop()
    const args = ['emulator', '--forward', url, '--secret', SECRET, '--faults', 'duplicate,wrongSignature', '--json']
    const running = await startCli(args)
    await running.lineWith('"type":"listening"')
    running.child.stdin.write('orders.place\n')
    await expect.poll(() => running.output().match(/"type":"delivery"/g)?.length).toBe(3)
    running.child.kill('SIGTERM')
    const { exit, stderr, objects } = await running.result()
    expect({ exit, stderr }).toEqual({ exit: 130, stderr: 'Interrupted.\n' })
    const [listening, ...calls] = objects()
    expect(listening).toMatchObject({ clientSecret: '********', organization: 'my-org' })
    expect(calls).toHaveLength(3)
    expect(calls).toContainEqual(expect.objectContaining({ status: 401, fault: 'wrong-signature' }))
    expect(calls).toContainEqual(expect.objectContaining({ status: 200, fault: 'duplicate' }))
    expect(ids).toHaveLength(2)
  })

  it('prints its credentials and a free port with --show-secrets, and masked ones without', async () => {
    const shown = await startCli(['emulator', '--client-secret', 'hush', '--show-secrets'])
    expect(await shown.lineWith('client secret')).toBe('  client secret  hush')
    const masked = await startCli(['emulator', '--client-secret', 'hush'])
    expect(await masked.lineWith('client secret')).toBe('  client secret  ******** (--show-secrets prints it)')
    expect(masked.output()).not.toContain('hush')
  })

  it.each([
    [['--send'], 2, '`--send` needs `--webhook` or `--forward`, the URL to send to.\n'],
    [['--port', 'four'], 2, expect.stringContaining('`port` must be a whole number')],
    [['--faults', 'duplicate=2'], 2, expect.stringContaining('`duplicate` must be a probability from 0 to 1')],
    [['--secret-env', 'NOT_SET'], 3, '--secret-env: the variable NOT_SET is not set.\n'],
  ])('refuses %j in one line', async (args, exit, stderr) => {
    expect(await runCli(['emulator', ...args])).toMatchObject({ exit, stdout: '', stderr })
  })
})
