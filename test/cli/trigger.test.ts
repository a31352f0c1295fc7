import { EventEmitter, once } from 'node:events'
import { createReceiver } from 'hooklayer'
import { createEmulator, type Emulator } from 'hooklayer/emulator'
import { createNodeListener } from 'hooklayer/node'
import { createDelivery } from 'hooklayer/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../contracts/adapter/listen.ts'
import { maskOutput, runCli, runInTerminal, startInTerminal } from './run-cli.ts'

const SECRET = '0123456789abcdef0123456789abcdef'

interface Shop {
  readonly url: string
  /** The email addresses of the orders, in the order in which they were handled. */
  readonly emails: unknown[]
  readonly ids: string[]
}

async function startShop(onOrder: () => Promise<void> | void = () => {}): Promise<Shop> {
  const [emails, ids]: [unknown[], string[]] = [[], []]
  const secrets = { 'orders.place': SECRET, 'orders.approve': 'fedcba9876543210fedcba9876543210' }
  const receiver = createReceiver({ secrets, logger: { warn() {}, error() {} } })
  receiver.on('orders.place', { include: ['customer'] }, async ({ resource }) => {
    await onOrder()
    emails.push(resource.customer.email)
    ids.push(resource.id)
  })
  const { url, close } = await listen(createNodeListener(receiver), '/webhooks')
  onTestFinished(close)
  return { url, emails, ids }
}

const flags = (url: string, ...more: string[]) => ['trigger', 'orders.place', '--to', url, '--secret', SECRET, ...more]

describe('hooklayer trigger', () => {
  it('sends a signed order with what was set, and prints the answer with its time', async () => {
    const { url, emails } = await startShop()
    const { exit, stdout, stderr } = await runCli(flags(url, '--set', 'customer.email=zoe@example.com'))
    expect({ exit, stdout, stderr: maskOutput(stderr) }).toEqual({
      exit: 0,
      stdout: '',
      stderr: 'orders.place → http://127.0.0.1:PORT/webhooks: 200 handled ( TIME)\n',
    })
    expect(emails).toEqual(['zoe@example.com'])
  })

  it('sends many of different orders, several at once, an object a line with --json', async () => {
    const { url, ids } = await startShop()
    const { exit, stderr, objects } = await runCli(flags(url, '--times', '20', '--concurrency', '5', '--json'))
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(objects()).toHaveLength(20)
    expect(objects()[0]).toEqual({
      topic: 'orders.place',
      url,
      status: 200,
      answer: 'handled',
      durationMs: expect.any(Number),
    })
    expect(new Set(ids).size).toBe(20)
  })

  it('sends the bytes of a file', async () => {
    const { url, ids } = await startShop()
    const { body } = await createDelivery('orders.place', { resource: { id: 'ofAFileAbc' } })
    const files = { 'order.json': new TextDecoder().decode(body) }
    expect(await runCli(flags(url, '--file', 'order.json'), { files })).toMatchObject({ exit: 0 })
    expect(ids).toEqual(['ofAFileAbc'])
  })

  it('sends duplicates, and deliveries in the reverse order', async () => {
    const { url, ids } = await startShop()
    await runCli(flags(url, '--fault', 'duplicate'))
    expect(ids).toHaveLength(2)
    expect(ids[0]).toBe(ids[1])
    ids.length = 0
    await runCli(flags(url, '--fault', 'reorder', '--times', '3'))
    expect(ids).toEqual(['hkl0000002', 'hkl0000001', 'hkl0000000'])
  })

  it('sends a body slowly', async () => {
    const { url, ids } = await startShop()
    const { exit, objects } = await runCli(flags(url, '--fault', 'slow', '--json'))
    expect({ exit, ids: ids.length }).toEqual({ exit: 0, ids: 1 })
    expect(objects()).toEqual([expect.objectContaining({ durationMs: expect.toSatisfy((ms: number) => ms > 1500) })])
  })

  it('cuts the connection in the middle of a body', async () => {
    const { url, ids } = await startShop()
    const { exit, stderr } = await runCli(flags(url, '--fault', 'cut'))
    expect({ exit, stderr, ids }).toEqual({ exit: 0, stderr: expect.stringContaining('cut on purpose'), ids: [] })
  })

  it.each(['wrong-signature', 'other-topic'])('takes it as right that %s is refused', async (fault) => {
    const { url, ids } = await startShop()
    const { exit, stderr } = await runCli(flags(url, '--fault', fault))
    expect({ exit, stderr, ids }).toEqual({
      exit: 0,
      stderr: expect.stringContaining('401 SIGNATURE_MISMATCH'),
      ids: [],
    })
  })

  it('exits with 1 when a forged delivery is accepted, or a true one is not', async () => {
    const { url, close } = await listen((_, response) => response.writeHead(200).end('\u001b[31mred'), '/')
    onTestFinished(close)
    const trusting = await runCli(flags(url, '--fault', 'wrong-signature'))
    expect(trusting).toMatchObject({ exit: 1, stderr: expect.stringContaining('200 \\u001b[31mred') })
    const shop = await startShop(() => Promise.reject(new Error('broken')))
    expect(await runCli(flags(shop.url))).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('500 HANDLER_FAILED'),
    })
  })

  it('prints the status, the type and one short line of a page', async () => {
    const page = `<!DOCTYPE html>\n<html><head><title>Error</title><style>p{}</style></head>
      <body><script>if (1 < 2) alert()</script><pre>Cannot POST\n/webhooks</pre><p>${'long '.repeat(100)}</p></body></html>`
    const { url, close } = await listen((_, response) => {
      response.writeHead(404, { 'content-type': 'text/html; charset=utf-8' }).end(page)
    }, '/')
    onTestFinished(close)
    const { exit, stderr } = await runCli(flags(url))
    expect({ exit, stderr: maskOutput(stderr) }).toEqual({
      exit: 1,
      stderr: expect.stringMatching(
        /^orders\.place → \S+: 404 text\/html: Cannot POST \/webhooks( long)+ lon \( TIME\)\n$/,
      ),
    })
    expect(stderr.length).toBeLessThan(160)
  })

  it.each([
    ['orders.plac', ' Did you mean orders.place?'],
    ['order.place', ' Did you mean orders.place?'],
    ['nothing.like_it', ''],
  ])('warns of the topic %s, which is not in the catalog, and sends it all the same', async (topic, hint) => {
    const { exit, stderr } = await runCli(['trigger', topic, '--secret', SECRET, '--to', 'http://127.0.0.1:2/'])
    expect(exit).toBe(4)
    expect(stderr).toContain(`${topic} is not in the catalog of topics.${hint}\nNothing listens`)
  })

  it('warns of a field that the sample lacks, with the nearest names, and sets it all the same', async () => {
    const { url, emails, ids } = await startShop()
    const set = [
      ...['custmer.email=a@b.example', 'customer.emial=c@d.example', 'total_amount=1', 'xyzzy={"a":1}'],
      ...['metadata.any.thing=1', 'payment_source_details.any=1', 'market.name=Italy', 'market.nme=Italy'],
      ...[
        'customer.customer_group.name=VIP',
        'shipping_address=null',
        'customer.email=zoe@example.com',
        'id=ofASetAbcd',
      ],
    ]
    const { exit, stderr } = await runCli(flags(url, ...set.flatMap((one) => ['--set', one])))
    const warning = (path: string, hint: string) =>
      `--set ${path}: the sample has no such field. It is set all the same.${hint}\n`
    expect({ exit, stderr }).toEqual({
      exit: 0,
      stderr: expect.stringContaining(
        warning('custmer', ' Did you mean customer?') +
          warning('customer.emial', ' Did you mean customer.email?') +
          warning('total_amount', ' Did you mean total_amount_cents, total_amount_float, or subtotal_amount_cents?') +
          warning('xyzzy', '') +
          warning('market.nme', ' Did you mean market.name?'),
      ),
    })
    expect({ emails, ids }).toEqual({ emails: ['zoe@example.com'], ids: ['ofASetAbcd'] })
  })

  it('says in one line that nothing listens, with 4', async () => {
    const { exit, stderr } = await runCli(flags('http://127.0.0.1:2/'))
    expect({ exit, stderr }).toMatchObject({ exit: 4, stderr: expect.stringMatching(/^Nothing listens there: .*\n$/) })
  })

  it('says that a port may not be called, with 4', async () => {
    expect(await runCli(flags('http://127.0.0.1:9/'))).toMatchObject({
      exit: 4,
      stderr: 'The request failed: bad port\n',
    })
  })

  it('asks in a terminal before it sends to another host, and refuses without one', async () => {
    const url = 'http://shop.invalid/webhooks'
    expect(await runCli(flags(url))).toMatchObject({
      exit: 2,
      stderr:
        'shop.invalid will handle this as a true order or customer. Send it? ' +
        'Nobody can be asked here: answer with --yes.\n',
    })
    expect(await runCli(flags(url, '--yes'))).toMatchObject({ exit: 4 })
    const running = await startInTerminal(flags(url))
    await running.lineWith('Send it?')
    running.child.stdin.write('n')
    const { exit, stdout } = await running.result()
    expect({ exit, stdout }).toEqual({ exit: 130, stdout: expect.stringContaining('Nothing was sent.') })
  })

  it('ends with 130 on Ctrl-C while an answer is awaited, in a terminal too', async () => {
    const started = new EventEmitter()
    const arrived = once(started, 'order')
    const { url } = await startShop(() => {
      started.emit('order')
      return new Promise((resolve) => setTimeout(resolve, 3000))
    })
    const running = await startInTerminal(flags(url))
    await arrived
    running.child.stdin.write('\x03')
    expect(await running.result()).toMatchObject({ exit: 130, stdout: expect.stringContaining('Interrupted.') })
  })

  it('rewrites one line of progress in a terminal, and leaves none behind', async () => {
    const { url } = await startShop()
    const { stdout } = await runInTerminal(flags(url, '--times', '30'))
    expect(stdout).toContain('\r\u001b[2KSent 1/30')
    expect(stdout).toMatch(/2K30 sent, 30 accepted, 0 not\.\r\n$/)
  })

  describe('through an emulator', () => {
    const connect = ({ url, clientId, clientSecret }: Emulator) => ({
      CL_API_URL: url,
      CL_ORGANIZATION: 'my-org',
      CL_CLIENT_ID: clientId,
      CL_CLIENT_SECRET: clientSecret,
    })

    async function startEmulator(): Promise<Emulator> {
      const emulator = await createEmulator({ logger: { warn() {} } })
      onTestFinished(() => emulator.close())
      return emulator
    }

    it('has its webhooks called, without a secret', async () => {
      const { url, emails } = await startShop()
      const emulator = await startEmulator()
      emulator.subscribe('orders.place', url, { secret: SECRET })
      const args = ['trigger', 'orders.place', '--set', 'customer.email=zoe@example.com', '--times', '2']
      const { exit, stderr } = await runCli(args, { env: connect(emulator) })
      const line = 'orders.place → http://127.0.0.1:PORT/webhooks: 200 OK ( TIME)\n'
      expect({ exit, stderr: maskOutput(stderr) }).toEqual({
        exit: 0,
        stderr: `${line}${line}2 sent, 2 accepted, 0 not.\n`,
      })
      expect(emails).toEqual(['zoe@example.com', 'zoe@example.com'])
      const direct = await runCli(flags(url), { env: connect(emulator) })
      expect(direct.stderr).toContain('200 handled')
      expect(emulator.eventCallbacks).toHaveLength(2)
    })

    it.each([
      ['no webhook has the topic', {}, 1, 'orders.pay: the emulator has no webhook that it can call.\n'],
      [
        'the credentials are wrong',
        { CL_CLIENT_SECRET: 'wrong' },
        5,
        /^The emulator at \S+ refuses the credentials\.\n$/,
      ],
      [
        'nothing listens',
        { CL_API_URL: 'http://127.0.0.1:2' },
        4,
        'CL_API_URL: no emulator answers at http://127.0.0.1:2. Start `hooklayer dev`, or name a receiver with --to.\n',
      ],
      ['a credential is missing', { CL_CLIENT_ID: '' }, 3, /^Set CL_CLIENT_ID in the environment .*\n$/],
    ])('says in one line that %s', async (_, env, exit, stderr) => {
      const emulator = await startEmulator()
      const result = await runCli(['trigger', 'orders.pay'], { env: { ...connect(emulator), ...env } })
      expect(result).toMatchObject({
        exit,
        stderr: typeof stderr === 'string' ? stderr : expect.stringMatching(stderr),
      })
    })

    it('says in one line that CL_API_URL is no emulator', async () => {
      const { url, close } = await listen((_, response) => response.writeHead(404).end(), '/')
      onTestFinished(close)
      const env = { ...connect(await startEmulator()), CL_API_URL: url }
      expect(await runCli(['trigger', 'orders.pay'], { env })).toMatchObject({
        exit: 3,
        stderr: `CL_API_URL: there is no emulator at ${url}. Name a receiver with --to.\n`,
      })
    })
  })

  it.each([
    [['--set', 'email'], '--set takes a path and a value: --set customer.email=zoe@example.com'],
    [['--set', '__proto__.a=1'], '--set takes a path and a value: --set customer.email=zoe@example.com'],
    [
      ['--set', 'line_items.quantity=3'],
      `--set line_items: it is a list, which is set as a whole: --set 'line_items=[{"quantity":3}]'`,
    ],
    [['--set', "line_items.0.item.name=Zoë's"], `'line_items=[{"item":{"name":"Zoë\\u0027s"}}]'`],
    [['--set', 'line_items={"quantity":3}'], `'line_items=[{"quantity":3}]'`],
    [['--set', 'line_items=[]', '--set', 'line_items.quantity=3'], `'line_items=[{"quantity":3}]'`],
    [
      ['--set', 'customer.orders.number=1'],
      `--set customer.orders: it is a list, which is set as a whole: --set 'customer.orders=[{"number":1}]'`,
    ],
    [['--to', 'nowhere'], '--to must be a URL such as http://127.0.0.1:3000/webhooks'],
    [['--times', '0'], "Option '--times <number>' argument '0' is invalid. It must be a whole number over 0"],
    [['--fault', 'fire'], "Option '--fault <name>' argument 'fire' is invalid. Allowed choices are duplicate, "],
    [['--file', 'none.json'], '--file: there is no file none.json.'],
  ])('refuses %j in one line, with 2', async (more, line) => {
    const { exit, stdout, stderr } = await runCli(['trigger', 'orders.place', '--secret', SECRET, ...more])
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' })
    expect(stderr).toMatch(/^[^\n]+\n$/)
    expect(stderr).toContain(line)
  })
})
