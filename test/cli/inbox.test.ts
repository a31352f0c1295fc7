import { createHash, randomUUID } from 'node:crypto'
import {
  chownSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Inbox } from 'hooklayer'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSeveral, createStored, putAll } from '../../src/contracts/inbox/harness.ts'
import { collect } from '../management/harness.ts'
import { noPostgres, startPostgres } from '../servers/postgres.ts'
import { noRedis, noRedisProgram, startRedis } from '../servers/redis.ts'
import { describeUnless, itUnless } from '../unless.ts'
import { addDeadLetters, addFailedOrder, ORDER } from './dead-letters.ts'
import { runCli, runInTerminal, startInTerminal } from './run-cli.ts'

function createFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-cli-inbox-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'deliveries.db')
}

/** Fills an inbox in a file, and closes it. */
async function createInboxFile(fill: (inbox: Inbox, file: string) => Promise<unknown>): Promise<string> {
  const file = createFile()
  const inbox = createSqliteInbox({ file })
  await fill(inbox, file)
  await inbox.close()
  return file
}

async function withInbox<T>(file: string, act: (inbox: Inbox) => Promise<T>): Promise<T> {
  const inbox = createSqliteInbox({ file })
  try {
    return await act(inbox)
  } finally {
    await inbox.close()
  }
}

function describeFolder(file: string): unknown {
  const folder = dirname(file)
  return readdirSync(folder).map((name) => {
    const { mtimeNs } = statSync(join(folder, name), { bigint: true })
    return {
      name,
      mtimeNs,
      digest: createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    }
  })
}

/** Without what differs from run to run. */
const mask = (text: string) =>
  text
    .replaceAll('\r\n', '\n')
    .replace(/\b[0-9a-f]{64}\b/g, 'ID')
    .replace(/\b[0-9a-f]{12}\b/g, 'ID          ')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/ *\b\d+ (s|min)\b/g, ' AGE')

describe('hooklayer inbox', () => {
  it('lists, counts and shows a dead letter without personal data, and writes nothing for it', async () => {
    const file = createFile()
    await createInboxFile(async (inbox, original) => {
      await addFailedOrder(inbox, 'full')
      await putAll(inbox, [createStored('waiting', { topic: 'customers.create' })])
      // As it stands after the process was killed: to open it for writing would change it.
      for (const end of ['', '-wal', '-shm']) copyFileSync(`${original}${end}`, `${file}${end}`)
    })
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0)
    const before = describeFolder(file)
    const listed = await runCli(['inbox', 'list', '--sqlite', file])
    expect({ ...listed, stderr: mask(listed.stderr) }).toMatchObject({
      exit: 0,
      stdout: '',
      stderr: [
        'id            state   topic             resource           order  attempts  age  next  error',
        'ID            dead    orders.place      orders/NrlYhpzLKA  1054        1/1 AGE        HANDLER_FAILED in erp: The ERP has refused …',
        'waiting       queued  customers.create                                   0 AGE',
        '',
      ].join('\n'),
    })
    const counted = await runCli(['inbox', 'stats', '--sqlite', file])
    expect(mask(counted.stderr)).toBe(
      [
        'topic             queued  running  failed  unhandled  dead',
        'customers.create       1        0       0          0     0',
        'orders.place           0        0       0          0     1',
        'all                    1        0       0          0     1',
        'The oldest was received AGE ago.',
        '',
      ].join('\n'),
    )
    const [{ id }] = (await runCli(['inbox', 'list', '--state', 'dead', '--json', '--sqlite', file])).objects() as [
      { id: string },
    ]
    const shown = await runCli(['inbox', 'show', id.slice(0, 8), '--sqlite', file])
    expect(mask(shown.stderr)).toBe(
      [
        'id            ID',
        'state         dead',
        'topic         orders.place',
        'resource      orders/NrlYhpzLKA, number 1054',
        'received      TIME, AGE ago',
        'attempts      1/1',
        'failed        TIME',
        'error         HANDLER_FAILED: A handler failed.',
        'handler       erp',
        'cause         The ERP has refused …',
        '',
      ].join('\n'),
    )
    expect(describeFolder(file)).toEqual(before)
  })

  it('prints personal data and the body only with --show-data', async () => {
    const file = await createInboxFile((inbox) => addFailedOrder(inbox, 'full'))
    const [{ id }] = (await runCli(['inbox', 'list', '--json', '--sqlite', file])).objects() as [{ id: string }]
    const masked = await runCli(['inbox', 'show', id, '--json', '--sqlite', file])
    expect(masked.stdout).not.toContain('zoe@example.com')
    expect(masked.objects()).toEqual([expect.not.objectContaining({ body: expect.anything() })])
    const [shown] = (await runCli(['inbox', 'show', id, '--json', '--show-data', '--sqlite', file])).objects()
    expect(shown).toMatchObject({
      error: { cause: 'The ERP has refused zoe@example.com' },
      body: { data: { id: ORDER.id, attributes: { number: '1054' } } },
    })
    expect((await runCli(['inbox', 'show', id, '--show-data', '--sqlite', file])).stderr).toContain(
      '"customer_email": ',
    )
    const listed = await runCli(['inbox', 'list', '--show-data', '--sqlite', file])
    expect(listed.stderr).toContain('The ERP has refused zoe@example.com')
  })

  it('finds an order by its number and a customer by the address, page by page', async () => {
    const file = await createInboxFile(async (inbox) => {
      await addDeadLetters(inbox, 5)
      await addFailedOrder(inbox)
      await putAll(inbox, createSeveral(4, 'waiting'))
    })
    const list = async (...flags: string[]) => {
      const { exit, objects, stderr } = await runCli(['inbox', 'list', '--json', '--sqlite', file, ...flags])
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
      return objects() as { id: string; state: string; resource?: { number?: string } }[]
    }
    expect(await list('--order', '1054')).toEqual([expect.objectContaining({ state: 'dead' })])
    expect(await list('--search', 'ZOE@example.com')).toHaveLength(1)
    expect(await list('--order', '1055')).toEqual([])
    expect((await list('--state', 'waiting')).map(({ id }) => id)).toEqual(
      createSeveral(4, 'waiting').map(({ id }) => id),
    )
    for (const flags of [[], ['--state', 'dead']]) {
      const all = await list(...flags)
      const first = await list(...flags, '--limit', '2')
      const next = await list(...flags, '--limit', '100', '--after', String(first.at(-1)?.id))
      expect([...first, ...next].map(({ id }) => id)).toEqual(all.map(({ id }) => id))
      expect(new Set(all.map(({ id }) => id)).size).toBe(flags.length > 0 ? 6 : 10)
    }
    const page = await runCli(['inbox', 'list', '--limit', '2', '--sqlite', file])
    expect(page.stderr).toMatch(/There are more: add --after orders\.place-\d\n$/)
    const none = await runCli(['inbox', 'list', '--topic', 'orders.cancel', '--sqlite', file])
    expect(none).toMatchObject({ exit: 0, stderr: 'There is no such delivery.\n' })
  })

  it('retries one, those of a filter, and no others', async () => {
    const file = await createInboxFile(async (inbox) => {
      await addDeadLetters(inbox, 3)
      await addDeadLetters(inbox, 2, 'customers.create')
      await addFailedOrder(inbox)
    })
    const retry = (...args: string[]) => runCli(['inbox', 'retry', '--sqlite', file, ...args])
    const stats = () => withInbox(file, (inbox) => inbox.statistics())
    expect(await retry('customers.create-1')).toMatchObject({
      exit: 0,
      stderr: '1 dead letter was put back into the queue.\n',
    })
    expect(await stats()).toMatchObject({ queued: 1, dead: 5 })
    expect((await retry('--order', '1054', '--json')).objects()).toEqual([{ retried: 1 }])
    expect((await retry('--topic', 'orders.place', '--since', '1h', '--json')).objects()).toEqual([{ retried: 3 }])
    expect((await retry('--until', '1h', '--json')).objects()).toEqual([{ retried: 0 }])
    expect(await stats()).toMatchObject({ queued: 5, dead: 1 })
    expect(await retry('customers.create-1')).toMatchObject({
      exit: 1,
      stderr: 'The delivery customers.create-1 is no dead letter: it is queued.\n',
    })
    expect(await retry('customers')).toMatchObject({
      exit: 2,
      stderr: '2 ids begin with customers: write more of it.\n',
    })
    expect(await retry('nothing')).toMatchObject({
      exit: 1,
      stderr: expect.stringMatching(/^There is no delivery nothing: .*\n$/),
    })
  })

  it('prints the first of 10,000 dead letters at once, and retries all with progress', async () => {
    const file = await createInboxFile((inbox) => addDeadLetters(inbox, 10_000))
    const { stderr } = await runCli(['inbox', 'list', '--state', 'dead', '--verbose', '--sqlite', file])
    // The bar is 300 ms on an idle machine.
    expect(Number(/Read in (\d+) ms/.exec(stderr)?.[1])).toBeLessThan(3000)
    const { exit, stdout } = await runInTerminal(['inbox', 'retry', '--all', '--yes', '--sqlite', file])
    expect(exit).toBe(0)
    expect(stdout).toMatch(/2KRetried \d+00\/10000/)
    expect(stdout).toMatch(/2K10000 dead letters were put back into the queue\.\r\n$/)
    expect(await withInbox(file, (inbox) => inbox.statistics())).toMatchObject({ queued: 10_000, dead: 0 })
  }, 120_000)

  it('says on Ctrl-C how many were retried, and leaves the others', async () => {
    const file = await createInboxFile((inbox) => addDeadLetters(inbox, 5000))
    const running = await startInTerminal(['inbox', 'retry', '--all', '--yes', '--sqlite', file])
    await running.lineWith('Retried')
    running.child.stdin.write('\x03')
    const { exit, stdout } = await running.result()
    const [, done = ''] = /Stopped after (\d+) of 5000\./.exec(stdout) ?? []
    expect({ exit, stdout }).toMatchObject({ exit: 130, stdout: expect.stringContaining('Interrupted.') })
    expect(await withInbox(file, (inbox) => inbox.statistics())).toMatchObject({
      queued: Number(done),
      dead: 5000 - Number(done),
    })
  }, 60_000)

  it('asks before it retries all, and needs --yes where nobody can be asked', async () => {
    const file = await createInboxFile((inbox) => addDeadLetters(inbox, 3))
    const flags = ['inbox', 'retry', '--all', '--sqlite', file]
    expect(await runCli(flags)).toMatchObject({
      exit: 2,
      stderr: '3 dead letters will be handled again. Retry all? Nobody can be asked here: answer with --yes.\n',
    })
    const asked = await startInTerminal(flags)
    await asked.lineWith('Retry all?')
    asked.child.stdin.write('n')
    expect(await asked.result()).toMatchObject({ exit: 130, stdout: expect.stringContaining('Nothing was retried.') })
    expect(await withInbox(file, (inbox) => inbox.statistics())).toMatchObject({ queued: 0, dead: 3 })
    expect((await runCli([...flags, '--yes', '--json'])).objects()).toEqual([{ retried: 3 }])
    expect((await runCli([...flags, '--json'])).objects()).toEqual([{ retried: 0 }]) // There is nothing to ask about.
  })

  it('asks before it discards several, and needs --yes where nobody can be asked', async () => {
    const file = await createInboxFile((inbox) => addDeadLetters(inbox, 3))
    const flags = ['inbox', 'discard', '--all', '--sqlite', file]
    expect(await runCli(flags)).toMatchObject({
      exit: 2,
      stderr: '3 dead letters will be deleted. Discard them? Nobody can be asked here: answer with --yes.\n',
    })
    const asked = await startInTerminal(flags)
    await asked.lineWith('Discard them?')
    asked.child.stdin.write('n')
    expect(await asked.result()).toMatchObject({ exit: 130, stdout: expect.stringContaining('Nothing was discarded.') })
    const one = await runCli(['inbox', 'discard', 'orders.place-0', '--sqlite', file])
    expect(one).toMatchObject({ exit: 0, stderr: '1 dead letter was discarded.\n' })
    expect((await runCli([...flags, '--yes', '--json'])).objects()).toEqual([{ discarded: 2 }])
    await withInbox(file, (inbox) => addDeadLetters(inbox, 1, 'customers.create'))
    expect(await runCli(flags)).toMatchObject({
      exit: 2,
      stderr: expect.stringMatching(/^1 dead letter will be deleted\. Discard it\? /),
    })
    expect(await runCli([...flags, '--yes'])).toMatchObject({ exit: 0 })
    expect(await withInbox(file, (inbox) => inbox.statistics())).toMatchObject({ queued: 0, dead: 0 })
    expect(await withInbox(file, (inbox) => inbox.put(createStored('orders.place-0')))).toBe('duplicate')
  })

  it('erases what carries a customer, after a question', async () => {
    const file = await createInboxFile(async (inbox) => {
      await addFailedOrder(inbox)
      await addDeadLetters(inbox, 1)
    })
    const flags = ['inbox', 'erase', 'customers', ORDER.customer.id, '--sqlite', file]
    expect(await runCli(flags)).toMatchObject({
      exit: 2,
      stderr:
        'One delivery carries customers/qwertyABCD, and will not be handled any more. Erase it? ' +
        'Nobody can be asked here: answer with --yes.\n',
    })
    expect((await runCli([...flags, '--yes', '--json'])).objects()).toEqual([
      { queued: 0, failed: 0, unhandled: 0, dead: 1, running: 0 },
    ])
    expect(await withInbox(file, (inbox) => collect(inbox.list()))).toMatchObject([{ id: 'orders.place-0' }])
    expect(await runCli(flags)).toMatchObject({
      exit: 0,
      stderr: '0 deliveries with customers/qwertyABCD were erased.\n',
    })
  })

  it('names the type and the topic that were meant', async () => {
    const file = await createInboxFile((inbox) => addFailedOrder(inbox))
    const erase = ['inbox', 'erase', 'customer', ORDER.customer.id, '--yes', '--sqlite', file]
    expect((await runCli(erase)).stderr).toBe(
      '0 deliveries with customer/qwertyABCD were erased.\n' +
        'customer is not a known type of resources. Did you mean customers?\n',
    )
    const hint = 'order.place is not in the catalog of topics. Did you mean orders.place?'
    for (const command of ['list', 'retry', 'discard']) {
      const { stderr } = await runCli(['inbox', command, '--topic', 'order.place', '--sqlite', file])
      expect(stderr).toContain(hint)
    }
    expect(await withInbox(file, (inbox) => inbox.statistics())).toMatchObject({ dead: 1 })
  })

  it('looks into the inbox of the configuration', async () => {
    const file = await createInboxFile((inbox) => addFailedOrder(inbox))
    const config = `import { createReceiver } from 'hooklayer'
      import { defineConfig } from 'hooklayer/config'
      import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
      const inbox = createSqliteInbox({ file: ${JSON.stringify(file)} })
      export default defineConfig({ receiver: createReceiver({ secrets: '0123456789abcdef', inbox }), inbox })`
    const files = { 'hooklayer.config.ts': config }
    expect((await runCli(['inbox', 'retry', '--all', '--yes', '--json'], { files })).objects()).toEqual([
      { retried: 1 },
    ])
    expect((await runCli(['inbox', 'list', '--json'], { files })).objects()).toMatchObject([{ state: 'queued' }])
  })

  it('neither creates a file that is not there nor opens one that is no inbox', async () => {
    const file = createFile()
    for (const args of [['stats'], ['retry', '--all']]) {
      const { exit, stderr } = await runCli(['inbox', ...args, '--sqlite', file])
      expect({ exit, stderr }).toEqual({ exit: 4, stderr: `There is no inbox: the file ${file} does not exist.\n` })
    }
    expect(readdirSync(dirname(file))).toEqual([])
    writeFileSync(file, 'no database '.repeat(1000))
    expect(await runCli(['inbox', 'stats', '--sqlite', file])).toMatchObject({
      exit: 3,
      stderr: expect.stringMatching(/^The SQLite database .* cannot be read\. [^\n]*\n$/),
    })
  })

  itUnless(process.getuid?.() === 0 ? undefined : 'only root can give a file away')(
    'reads a file of another user, and writes to it only with --force',
    async () => {
      const file = await createInboxFile((inbox) => addDeadLetters(inbox, 1))
      for (const name of readdirSync(dirname(file))) chownSync(join(dirname(file), name), 65534, 65534)
      expect(await runCli(['inbox', 'list', '--sqlite', file])).toMatchObject({ exit: 0 })
      expect(await runCli(['inbox', 'retry', '--all', '--sqlite', file])).toMatchObject({
        exit: 5,
        stderr: `${file} belongs to another user, with the id 65534: run the command as that user, or with --force.\n`,
      })
      expect(await runCli(['inbox', 'retry', '--all', '--yes', '--force', '--sqlite', file])).toMatchObject({ exit: 0 })
      expect(readdirSync(dirname(file)).map((name) => statSync(join(dirname(file), name)).uid)).toEqual(
        readdirSync(dirname(file)).map(() => 65534),
      )
    },
  )

  it.each([
    [['list'], 3, 'Name an inbox with --sqlite, --redis or --postgres, or give `inbox` in hooklayer.config.ts.'],
    [['list', '--sqlite', 'a', '--redis', 'b'], 2, 'Give one of --sqlite, --redis and --postgres.'],
    [['list', '--redis', 'NO_SUCH_VARIABLE'], 3, '--redis: the variable NO_SUCH_VARIABLE is not set.'],
    [['list', '--redis', 'http://x'], 2, 'createBullmqInbox: `redis` must be a URL'],
    [['list', '--redis', 'redis://127.0.0.1:2'], 4, 'Nothing listens there: connect ECONNREFUSED 127.0.0.1:2'],
    [['list', '--postgres', 'postgres://127.0.0.1:2/x'], 4, 'Nothing listens there: connect ECONNREFUSED 127.0.0.1:2'],
    [['list', '--state', 'lost', '--sqlite', 'a'], 2, 'Allowed choices are waiting, running, dead'],
    [['list', '--limit', '0', '--sqlite', 'a'], 2, 'It must be a whole number over 0'],
    [['lst'], 2, "Unknown command 'lst'. Did you mean list?"],
    [['list', '--ordr', '1054'], 2, 'Did you mean --order?'],
  ])('refuses %j in one line', async (args, exit, line) => {
    const result = await runCli(['inbox', ...args])
    expect(result).toMatchObject({ exit, stdout: '', stderr: expect.stringMatching(/^[^\n]+\n$/) })
    expect(result.stderr).toContain(line)
  })

  it.each([[['retry']], [['retry', '--all', '--topic', 'orders.place']], [['discard', 'id', '--all']]])(
    'refuses the selection of %j, with 2',
    async (args) => {
      const file = await createInboxFile((inbox) => putAll(inbox, [createStored('one')]))
      expect(await runCli(['inbox', ...args, '--sqlite', file])).toMatchObject({
        exit: 2,
        stderr: 'Give an id, or filters such as --topic, or --all.\n',
      })
    },
  )
})

interface Engine {
  readonly flag: '--redis' | '--postgres'
  readonly missing: string | undefined
  start(): Promise<{ readonly url: string; close(): Promise<void> }>
  open(url: string, name: string): Inbox
}

const ENGINES: readonly Engine[] = [
  {
    flag: '--redis',
    missing: noRedis,
    start: () => startRedis(),
    open: (redis, name) => createBullmqInbox({ redis, name }),
  },
  {
    flag: '--postgres',
    missing: noPostgres,
    start: () => startPostgres(),
    open: (postgres, name) => createBullmqInbox({ postgres, name }),
  },
]

for (const { flag, missing, start, open } of ENGINES) {
  describeUnless(missing)(`hooklayer inbox with ${flag}`, () => {
    let server: Awaited<ReturnType<Engine['start']>>
    beforeAll(async () => {
      server = await start()
    })
    afterAll(() => server.close())

    it('lists, shows, retries, discards and erases, with the URL in a variable', async () => {
      const name = `cli-${randomUUID()}`
      const inbox = open(server.url, name)
      onTestFinished(() => inbox.close())
      const id = await addFailedOrder(inbox)
      await addDeadLetters(inbox, 120)
      const run = async (...args: string[]) => {
        const given = ['inbox', ...args, flag, 'INBOX_URL', '--name', name, '--json']
        const { exit, stderr, objects } = await runCli(given, { env: { INBOX_URL: server.url } })
        expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
        return objects()
      }
      expect(await run('stats')).toMatchObject([{ dead: 121, queued: 0 }])
      expect(await run('list', '--state', 'dead', '--limit', '5')).toHaveLength(5)
      expect(await run('list', '--order', '1054')).toMatchObject([{ id, state: 'dead' }])
      expect(await run('show', id.slice(0, 12), '--show-data')).toMatchObject([
        { id, body: { data: { id: ORDER.id } } },
      ])
      expect(await run('discard', 'orders.place-7')).toEqual([{ discarded: 1 }])
      expect(await run('erase', 'orders', ORDER.id, '--yes')).toMatchObject([{ dead: 1 }])
      expect(await run('retry', '--all', '--yes')).toEqual([{ retried: 119 }])
      expect(await inbox.statistics()).toMatchObject({ queued: 119, dead: 0 })
    }, 60_000)
  })
}

describeUnless(noPostgres)('hooklayer inbox on a PostgreSQL without an inbox', () => {
  it('creates no tables for a list', async () => {
    const { url, close } = await startPostgres({ fsync: true }) // A server of its own.
    onTestFinished(close)
    expect(await runCli(['inbox', 'list', '--postgres', url])).toMatchObject({
      exit: 3,
      stderr: expect.stringMatching(/^There is no inbox in this database: The tables of BullMQ are missing .*\n$/),
    })
    expect(await runCli(['inbox', 'list', '--postgres', url.replace(/postgres$/, 'none')])).toMatchObject({
      exit: 3,
      stderr: 'The URL is wrong: database "none" does not exist\n',
    })
  })
})

describeUnless(noRedisProgram)('hooklayer inbox on a Redis with a password', () => {
  it('says that access was refused, with 5, and prints no password', async () => {
    const { url, close } = await startRedis({ appendfsync: 'everysec' }) // A server of its own.
    onTestFinished(close)
    const client = new Redis(url)
    await client.config('SET', 'requirepass', 'right-password')
    client.disconnect()
    for (const address of [url, url.replace('//', '//:wrong-password@')]) {
      const { exit, stderr } = await runCli(['inbox', 'list', '--redis', address])
      expect({ exit, stderr }).toEqual({ exit: 5, stderr: expect.stringMatching(/^The server refused access: .*\n$/) })
      expect(stderr).not.toContain('password@')
    }
  })
})
