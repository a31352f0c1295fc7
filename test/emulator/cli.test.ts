import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReceiver } from 'hooklayer'
import { createNodeListener } from 'hooklayer/node'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../contracts/adapter/listen.ts'
import { GONE, startEmulatorForTest } from './harness.ts'

interface Run {
  readonly child: ChildProcess
  /** The output so far. */
  readonly output: () => string
  /** Waits for the first line that contains `text`. */
  lineWith(text: string): Promise<string>
}

function run(...args: string[]): Run {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/emulator-program.ts', ...args], { stdio: 'pipe' })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
      child.emit('output')
    })
  }
  return {
    child,
    output: () => output,
    async lineWith(text) {
      for (;;) {
        const line = output.split('\n').find((one) => one.includes(text))
        if (line !== undefined) return line
        await once(child, 'output')
      }
    },
  }
}

async function waitForExit({ child }: Run): Promise<unknown> {
  const [code, signal] = await once(child, 'close')
  return code ?? signal
}

describe('the command line of the emulator', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'prints its URL and credentials, calls the webhooks of each typed topic, and stops on %s',
    async (signal) => {
      const running = run('--organization', 'acme', '--client-id', 'me', '--client-secret', 'hush', '--speed', '1000')
      const url = (await running.lineWith('listens at')).split(' ').at(-1)
      await running.lineWith('Ctrl-C')
      expect(running.output()).toMatch(/organization +acme\n +client id +me\n +client secret +hush/)

      const credentials = { grant_type: 'client_credentials', client_id: 'me', client_secret: 'hush' }
      const given = await fetch(`${url}/oauth/token`, { method: 'POST', body: new URLSearchParams(credentials) })
      const { access_token } = (await given.json()) as { access_token: string }
      const made = await fetch(`${url}/api/webhooks`, {
        method: 'POST',
        headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/vnd.api+json' },
        body: JSON.stringify({ data: { type: 'webhooks', attributes: { topic: 'orders.place', callback_url: GONE } } }),
      })
      expect(made.status).toBe(201)

      running.child.stdin?.write('orders.place\n\norders.eat\norders.pay\n')
      expect(await running.lineWith('orders.place →')).toBe(`orders.place → ${GONE}: Connection refused`)
      expect(await running.lineWith('no webhook')).toBe('orders.pay: no webhook has this topic, so nothing was called.')
      expect(await running.lineWith('orders.eat')).toContain('is not a topic')

      running.child.kill(signal)
      expect(await waitForExit(running)).toBe(0)
    },
  )

  it('sends an order to a receiver with one command, and says how that answered', async () => {
    const secret = '0123456789abcdef0123456789abcdef'
    const emails: unknown[] = []
    const receiver = createReceiver({ secrets: { 'orders.place': secret } }).on(
      'orders.place',
      { include: ['customer'] },
      ({ resource: order }) => emails.push(order.customer.email),
    )
    const { url, close } = await listen(createNodeListener(receiver), '/webhooks')
    onTestFinished(close)
    const sending = run('--webhook', url, '--secret', secret, '--send')
    expect(await waitForExit(sending)).toBe(0)
    expect(sending.output()).toContain(`orders.place → ${url}: 200 OK`)
    expect(emails).toEqual(['john@example.com'])
    const forging = run('--webhook', url, '--topic', 'orders.place', '--send')
    expect(await waitForExit(forging)).toBe(1)
    expect(forging.output()).toMatch(/CL_SECRET_ORDERS__PLACE=[0-9a-f]{32}\n.*: 401 /s)
  })

  it.each([
    [['--send'], '`--send` needs `--webhook`'],
    [['--webhook', 'nowhere', '--send'], 'The webhook was refused: callback_url - is invalid'],
    [['--secret', 'short'], '`secret` must have 16 characters or more'],
  ])('refuses %j, and says why', async (args, message) => {
    const running = run(...args)
    expect(await waitForExit(running)).toBe(1)
    expect(running.output()).toContain(message)
  })

  it('prints its options', async () => {
    const running = run('--help')
    expect(await waitForExit(running)).toBe(0)
    for (const option of ['--port', '--organization', '--client-id', '--client-secret', '--speed', '--help']) {
      expect(running.output()).toContain(option)
    }
  })

  it('prints one sentence for a wrong option, and exits with 1', async () => {
    const { emulator } = await startEmulatorForTest()
    const { port } = new URL(emulator.url)
    const wrong = [
      { args: ['--port', port], sentence: `Port ${port} of 127.0.0.1 is in use.` },
      { args: ['--port', 'four'], sentence: '`port` must be a whole number' },
      { args: ['--speed', '0'], sentence: '`--speed` must be' },
      { args: ['--color', 'red'], sentence: "Unknown option '--color'" },
    ].map(async ({ args, sentence }) => {
      const running = run(...args)
      expect([args, await waitForExit(running)]).toEqual([args, 1])
      expect(running.output()).toContain(sentence)
      expect(running.output()).not.toContain('    at ')
    })
    await Promise.all(wrong)
  })
})
