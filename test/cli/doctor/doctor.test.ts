import { createServer } from 'node:net'
import { createReceiver } from 'hooklayer'
import { createNodeListener } from 'hooklayer/node'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen, listeningOn } from '../../contracts/adapter/listen.ts'
import { recordingLogger } from '../../deliveries.ts'
import { maskOutput, runCli, startCli, startInTerminal } from '../run-cli.ts'
import { createApp } from './receivers/express-json.ts'

const SECRET = '0123456789abcdef0123456789abcdef'

async function startShop(): Promise<{ readonly url: string; readonly ids: Set<string> }> {
  const ids = new Set<string>()
  const idempotency = { store: createMemoryStore() }
  const secrets = { 'orders.place': SECRET }
  const receiver = createReceiver({ secrets, idempotency, logger: recordingLogger().logger })
  receiver.on('orders.place', ({ resource }) => void ids.add(resource.id))
  const { url, close } = await listen(createNodeListener(receiver), '/webhooks')
  onTestFinished(close)
  return { url, ids }
}

describe('hooklayer doctor', { timeout: 60_000 }, () => {
  it('prints a table, and ends with 0 where nothing is wrong', async () => {
    const { url, ids } = await startShop()
    const { exit, stdout, stderr } = await runCli(['doctor', url, '--secret', SECRET])
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: '' })
    const lines = stderr.replace(/^(Probed .*\n)+/, '').replaceAll(/ +\d+ {2}ok/g, ' MS ok')
    expect(
      lines
        .split('\n')
        .slice(0, 4)
        .map((line) => line.replaceAll(/ +/g, ' ')),
    ).toEqual([
      'probe came ms result expected',
      'forged 401 MS ok 401, or another 4xx',
      'plain 200 MS ok 2xx within 5 s',
      'floats 200 MS ok 2xx within 5 s',
    ])
    expect(lines).toMatch(/\n\n29 probes: 29 ok, 0 wrong, 0 to note\.\nAnswers do not show what was done\. .*\n$/)
    expect(ids.size).toBeGreaterThan(50)
    for (const id of ids) expect(id).toMatch(/^doctor[0-9a-z]{4}$/)
  })

  it('says what each mistake means for orders and how to fix it, and ends with 1', async () => {
    const { url, close } = await listen(createApp(SECRET), '/webhooks')
    onTestFinished(close)
    const { exit, stderr } = await runCli(['doctor', url, '--secret', SECRET])
    expect(exit).toBe(1)
    expect(stderr).toContain(
      [
        '',
        '1 MB (wrong): sent a signed delivery of 1 MB; an order of 50 line items has 280 KB, and got 413.',
        '  means: Large orders never arrive: the limit of a parser or a proxy is below 1 MB. Express ends at 100 kB by default.',
        '  fix:   Raise the limit to 5 MB: `express.raw({ limit: "5mb" })`, `client_max_body_size 5m` of nginx.',
        '',
      ].join('\n'),
    )
    expect(stderr).not.toContain(SECRET)
  })

  it('prints an object a probe with --json', async () => {
    const { url, close } = await listen(createApp(SECRET), '/webhooks')
    onTestFinished(close)
    const { exit, stderr, objects } = await runCli(['doctor', url, '--secret', SECRET, '--json'])
    expect({ exit, stderr }).toEqual({ exit: 1, stderr: '' })
    expect(objects()).toHaveLength(29)
    expect(objects()[2]).toEqual({
      probe: 'floats',
      kind: 'genuine',
      sends: 'a signed delivery as Commerce Layer writes it, with 20.0 and \\u0026',
      expected: '2xx within 5 s',
      came: '401',
      durationMs: expect.any(Number),
      result: 'wrong',
      means: expect.stringMatching(/parsed and written anew\.$/),
      fix: expect.stringMatching(/^Verify the bytes as they came/),
    })
  })

  it('sends nothing that is signed to another host, and says so', async () => {
    const { url, ids } = await startShop()
    const other = url.replace('127.0.0.1', '0.0.0.0') // the same machine, by a name that is not its own
    const { exit, stderr } = await runCli(['doctor', other, '--secret', SECRET])
    expect({ exit, ids: ids.size }).toEqual({ exit: 0, ids: 0 })
    expect(maskOutput(stderr)).toMatch(
      /\n\n13 probes: 13 ok, 0 wrong, 0 to note\.\nNo signed delivery was sent, because 0\.0\.0\.0 is not this machine: --yes sends them, too\.\n$/,
    )
    await runCli(['doctor', other, '--secret', SECRET, '--yes'])
    expect(ids.size).toBeGreaterThan(50)
  })

  it('ends with 4 where nothing listens, nothing answers in HTTP, or the host has no name', async () => {
    for (const endpoint of ['http://127.0.0.1:2/', 'https://127.0.0.1:2/']) {
      expect(await runCli(['doctor', endpoint, '--secret', SECRET])).toMatchObject({
        exit: 4,
        stderr: 'Nothing listens there: connect ECONNREFUSED 127.0.0.1:2\n',
      })
    }
    const server = createServer((socket) => void socket.on('error', () => {}).end('SSH-2.0-OpenSSH\r\n'))
    server.listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    onTestFinished(() => void server.close())
    const { url } = listeningOn(server as never)
    for (const [endpoint, line] of [
      [url, 'does not speak HTTP'],
      ['http://shop.invalid/', 'There is no such host|cannot be looked up'],
    ] as const) {
      const { exit, stderr } = await runCli(['doctor', endpoint, '--secret', SECRET])
      expect({ exit, stderr }).toEqual({ exit: 4, stderr: expect.stringMatching(new RegExp(`^.*(${line}).*\n$`)) })
    }
  })

  it('says after two probes that nothing is there at a path', async () => {
    const { url, close } = await listen(createApp(SECRET), '/webhook')
    onTestFinished(close)
    const { exit, stderr } = await runCli(['doctor', url, '--secret', SECRET])
    expect(exit).toBe(1)
    expect(stderr).toContain('  means: Every order fails: nothing takes a POST at this URL.\n')
    expect(stderr).toContain('\n2 probes: 0 ok, 2 wrong, 0 to note.\n')
  })

  it('finds that a probe has ended the process', async () => {
    const shop = await listen((request, response) => {
      if (request.method === 'GET') request.socket.destroy()
      else response.writeHead(request.headers['x-commercelayer-topic'] === '__proto__' ? 500 : 401).end()
      if (request.method === 'GET') shop.close()
    }, '/')
    const { exit, objects } = await runCli(['doctor', shop.url, '--secret', SECRET, '--json'])
    expect(exit).toBe(1)
    const wrong = (objects() as { probe: string; result: string; came: string; kind: string }[])
      .filter(({ result }) => result === 'wrong')
      .map(({ probe, came }) => [probe, came])
    expect(wrong).toContainEqual(['afterwards', 'closed'])
  })

  it.each([
    [['shop', '--secret', SECRET], 'The endpoint must be a URL such as http://127.0.0.1:3000/webhooks'],
    [['http://127.0.0.1:2/'], 'There is no secret: pass --secret or --secret-env, or set CL_SECRET_ORDERS__PLACE.'],
    [['http://127.0.0.1:2/', '--secret', ''], '--secret is empty.'],
    [['--secret', SECRET], "Missing required argument 'url'. See --help."],
  ])('refuses %j in one line, with 2', async (args, line) => {
    expect(await runCli(['doctor', ...args])).toMatchObject({ exit: 2, stdout: '', stderr: `${line}\n` })
  })

  it('ends with 130 on Ctrl-C while it waits, in a terminal too', async () => {
    const { url, close } = await listen(() => {}, '/')
    onTestFinished(close)
    const running = await startCli(['doctor', url, '--secret', SECRET])
    setTimeout(() => running.child.kill('SIGINT'), 1000)
    expect(await running.result()).toMatchObject({ exit: 130, stderr: 'Interrupted.\n' })
    const drawn = await startInTerminal(['doctor', url, '--secret', SECRET])
    setTimeout(() => drawn.child.stdin.write('\x03'), 1000)
    expect(await drawn.result()).toMatchObject({ exit: 130 })
  })

  it('rewrites one line of progress in a terminal', async () => {
    const { url } = await startShop()
    const running = await startInTerminal(['doctor', url, '--secret', SECRET])
    const { exit, stdout } = await running.result()
    expect(exit).toBe(0)
    expect(stdout).toContain('\r\u001b[2KProbed 1/29 forged')
  })
})
