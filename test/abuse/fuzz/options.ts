import { createReceiver, createWorker } from 'hooklayer'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createManagement } from 'hooklayer/management'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { createDelivery } from 'hooklayer/testing'
import { recordingLogger, SECRET } from '../../deliveries.ts'
import { MARK } from './requests.ts'

const { logger } = recordingLogger()

/** Values of every kind. What is drawn are their places, which are JSON. */
export const VALUES: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  1,
  1.5,
  1e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  10n,
  Symbol(MARK),
  '',
  MARK,
  SECRET,
  'none',
  'orders.place',
  'http://127.0.0.1:1',
  [],
  [MARK],
  [null],
  {},
  { [MARK]: MARK },
  Object.create(null),
  { 'orders.place': SECRET },
  { 'orders.place': null },
  () => SECRET,
  () => {
    throw new Error(MARK)
  },
  new Date(Number.NaN),
  new Map([[MARK, MARK]]),
  new Uint8Array(3),
  JSON.parse('{"__proto__":{"secrets":"q7zx9kp2"}}'),
  new Proxy({}, {}),
  logger,
  createMemoryInbox(),
  createMemoryStore(),
]

/** Makes everything that takes options. Each is closed by itself, or has nothing to close. */
export const MAKERS: readonly (readonly [
  name: string,
  make: (options: never) => unknown,
  options: readonly string[],
])[] = [
  [
    'createReceiver',
    createReceiver,
    [
      'secrets',
      'deadlineMs',
      'maxBodyBytes',
      'bodyTimeoutMs',
      'maxInFlight',
      'maxUnverified',
      'maxUnverifiedBytes',
      'secretsCacheMs',
      'idempotency',
      'inbox',
      'ordering',
      'inboxMode',
      'logger',
      MARK,
    ],
  ],
  ['createMemoryInbox', createMemoryInbox, ['retentionMs', 'maxQueued', 'leaseMs', MARK]],
  ['createMemoryStore', createMemoryStore, ['maxEvents', 'maxEntries', 'retentionMs', MARK]],
  [
    'createWorker',
    createWorker,
    ['receiver', 'inbox', 'concurrency', 'concurrencyByTopic', 'attempts', 'backoffMs', 'maxBackoffMs', 'logger', MARK],
  ],
  [
    'createManagement',
    createManagement,
    [
      'organization',
      'clientId',
      'clientSecret',
      'accessToken',
      'url',
      'timeoutMs',
      'retries',
      'maxResponseBytes',
      MARK,
    ],
  ],
  [
    'createDelivery',
    ({ topic, ...options }: { topic: string }) => createDelivery(topic, options),
    ['topic', 'secret', 'resource', 'include', 'headers', 'mode', 'organizationId', MARK],
  ],
  [
    'on',
    ({ topics, options, handler }: { topics: string; options: object; handler: () => void }) =>
      createReceiver({ secrets: SECRET, logger }).on(topics, options, handler),
    ['topics', 'options', 'handler'],
  ],
  [
    'onError',
    ({ handler, options }: { handler: () => void; options: object }) =>
      createReceiver({ secrets: SECRET, logger }).onError(handler, options),
    ['handler', 'options'],
  ],
]
