import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createReceiver, createWorker, secretsFromEnv } from 'hooklayer'
import { createDashboard } from 'hooklayer/dashboard'
import { createEmulator } from 'hooklayer/emulator'
import { createFetchHandler } from 'hooklayer/fetch'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createManagement } from 'hooklayer/management'
import { createOpenTelemetryObserver } from 'hooklayer/opentelemetry'
import { createRecorder, maskDocument } from 'hooklayer/recorder'
import { createResponder } from 'hooklayer/responder'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { createPostgresStore } from 'hooklayer/stores/postgres'
import { createRedisStore } from 'hooklayer/stores/redis'
import { createSqliteStore } from 'hooklayer/stores/sqlite'
import { createDelivery, createEvent, createRequest, TEST_SECRET } from 'hooklayer/testing'
import { afterAll, expect, it } from 'vitest'

const secrets = TEST_SECRET
const store = createMemoryStore()
const inbox = createMemoryInbox()
const receiver = createReceiver({ secrets, inbox })
const client = { eval: async () => 0, evalSha: async () => 0, query: async () => ({ rows: [] }) }
const file = join(mkdtempSync(join(tmpdir(), 'hooklayer-options-')), 'options.sqlite')
afterAll(() => rmSync(dirname(file), { recursive: true }))

const IDEMPOTENCY = { page: 'docs/idempotency.md', heading: '## Options' }
const EMULATOR = [
  ...[
    'port',
    'organization',
    'organizationId',
    'clientId',
    'clientSecret',
    'secret',
    'mode',
    'tokenLifetimeMs',
    'rateLimit',
  ],
  ...['maxEventCallbacks', 'timeoutMs', 'retries', 'retryDelayMs', 'logger', 'faults', 'seed', 'onCall', 'onAnswer'],
]
const OBSERVER = { page: 'docs/observability.md', heading: '### Options' }
const DASHBOARD = { page: 'docs/dashboard.md', heading: '## Options' }
const RESPONDER = { page: 'docs/external-resources.md' }
const INBOXES = { page: 'docs/durable-inbox.md', heading: '## Options of an inbox' }

/** Where the options of a function are documented, those that it needs, and how to call it. */
const OWNERS: readonly Owner[] = [
  owner('createReceiver', { secrets }, createReceiver),
  owner('idempotency', { store }, (idempotency) => createReceiver({ secrets, idempotency }), IDEMPOTENCY),
  owner('createWorker', { receiver, inbox }, (options) => createWorker(options).stop({ timeoutMs: 0 })),
  owner('on', {}, (options) => createReceiver({ secrets }).on('orders.place', options, () => {})),
  owner('onError', {}, (options) => receiver.onError(() => {}, options)),
  owner('secretsFromEnv', { env: { CL_SECRET_ORDERS__PLACE: TEST_SECRET } }, secretsFromEnv),
  owner('createOpenTelemetryObserver', {}, createOpenTelemetryObserver, OBSERVER),
  owner('createDashboard', { inbox, authorize: () => true }, createDashboard, DASHBOARD),
  owner('createRecorder', {}, (options) => createRecorder(options).close()),
  owner('maskDocument', {}, (options) => maskDocument({ data: null }, options)),
  owner(
    'createResponder',
    { secret: TEST_SECRET },
    (options) => createResponder('tax', options, () => ({ tax_rate: 0 })),
    RESPONDER,
  ),
  owner('createMemoryStore', {}, createMemoryStore),
  owner('createSqliteStore', { file }, (options) => createSqliteStore(options).close()),
  owner('createRedisStore', { client }, createRedisStore),
  owner('createPostgresStore', { client }, createPostgresStore),
  owner('createMemoryInbox', {}, createMemoryInbox, { ...INBOXES, engine: 'memory' }),
  owner('createSqliteInbox', { file }, (given) => createSqliteInbox(given).close(), { ...INBOXES, engine: 'SQLite' }),
  owner('createBullmqInbox', { redis: 'redis://127.0.0.1' }, createBullmqInbox, { ...INBOXES, engine: 'BullMQ' }),
]

it.each(OWNERS)('the manual has every option of $name, and no other', ({ name, table, reads }) => {
  expect(readTable(name, table)).toEqual(reads())
})

it.each(OWNERS)('an option of $name that is undefined is taken as not given', async ({ reads, callWith }) => {
  const absent = Object.fromEntries(reads().map((option) => [option, undefined]))
  await callWith(absent)
})

it('an option of a tool that is undefined is taken as not given', async () => {
  const emulator = await createEmulator(unset(EMULATOR))
  try {
    const { organization, clientId, clientSecret } = emulator
    const management = createManagement({
      ...{ organization, clientId, clientSecret, url: emulator.url },
      ...unset(['accessToken', 'timeoutMs', 'retries', 'maxResponseBytes']),
    } as never)
    const callbackUrl = 'https://example.com/webhooks'
    const plan = await management.plan(receiver, { callbackUrl, ...unset(['unknownIncludes', 'signal']) })
    await management.apply(plan, unset(['onStep', 'signal']))
    management.secrets({ callbackUrl, ...unset(['refreshMs', 'logger']) })
    const recovery = ['until', 'callbackUrl', 'webhookId', 'topic', 'dryRun', 'resetCircuits', 'retrigger', 'after']
    await management.recover(receiver, { since: new Date(), ...unset([...recovery, 'onResult', 'signal']) })
    const query = ['webhookId', 'topic', 'since', 'until', 'outcome', 'sort', 'pageSize', 'after', 'signal']
    for await (const callback of management.eventCallbacks.list(unset(query))) expect(callback).toBeUndefined()
    const webhook = { topic: 'orders.pay', callbackUrl }
    const texts = ['name', 'includeResources', 'disabled', 'reference', 'referenceOrigin', 'metadata']
    await management.webhooks.create({ ...webhook, ...unset(texts) })
  } finally {
    await emulator.close()
  }
})

it('an option of what is made for tests that is undefined is taken as not given', async () => {
  const options = ['resource', 'include', 'secret', 'headers', 'mode', 'organizationId', 'apiVersion', 'traceId']
  expect(await createDelivery('orders.place', unset(options))).toEqual(await createDelivery('orders.place'))
  expect(await createRequest('tax', unset(options))).toEqual(await createRequest('tax'))
  expect((await createEvent('orders.place', undefined, unset(options))).id).toBe((await createEvent('orders.place')).id)
})

it('options that are undefined as a whole are taken as not given', async () => {
  const handler = () => {}
  const shop = createReceiver({ secrets })
    .on('orders.place', undefined as never, handler)
    .onError(handler, undefined)
  expect(shop.subscriptions()).toEqual([{ topics: ['orders.place'], include: [] }])
  const delivery = await createDelivery('orders.place', undefined)
  expect((await shop.receive(delivery, undefined)).status).toBe(200)
})

it('an option of an adapter that is undefined is taken as not given', async () => {
  const { method, headers, body } = await createDelivery('customers.create')
  const handler = createFetchHandler(createReceiver({ secrets }), { background: undefined })
  expect((await handler(new Request('https://example.com', { method, headers, body }))).status).toBe(200)
})

function unset(names: readonly string[]): Record<string, undefined> {
  return Object.fromEntries(names.map((name) => [name, undefined]))
}

interface Owner {
  readonly name: string
  readonly table: Table
  /** The names of the options that it reads. */
  reads(): string[]
  callWith(more: object): unknown
}

function owner<T extends object>(name: string, needed: T, call: (options: T) => unknown, table: Table = {}): Owner {
  return {
    name,
    table,
    reads: () => readsOf(needed, call),
    callWith: (more) => call({ ...more, ...needed }),
  }
}

/** The names of the options that a function reads, in order of the alphabet. */
function readsOf<T extends object>(given: T, read: (options: T) => unknown): string[] {
  const names = new Set<string>()
  const options = new Proxy(given, {
    get(target, name, self) {
      names.add(String(name))
      return Reflect.get(target, name, self)
    },
  })
  read(options)
  return [...names].sort()
}

interface Table {
  /** Default: the page of all options. */
  readonly page?: string
  /** Default: the owner of the options. */
  readonly heading?: string
  /** A row that is not for all engines names them: `leaseMs` (SQLite, BullMQ). */
  readonly engine?: string
}

/** The names in the table under a heading, in order of the alphabet. */
function readTable(owner: string, { page = 'docs/options.md', heading, engine = '' }: Table): string[] {
  const lines = readFileSync(page, 'utf8').split('\n')
  const start = lines.findIndex((line) => line === heading || (!heading && /^#+ `(\w+)`$/.exec(line)?.[1] === owner))
  const end = lines.findIndex((line, at) => at > start && line.startsWith('#'))
  const rows = lines
    .slice(start, end === -1 ? undefined : end)
    .map((line) => /^\| (`\w+`(?: \(.*\))?) \|/.exec(line)?.[1] ?? '')
  const ofEngine = rows.filter((row) => !row.includes('(') || row.includes(engine))
  return ofEngine.flatMap((row) => /`(\w+)`/.exec(row)?.[1] ?? []).sort()
}
