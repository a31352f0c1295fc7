import type { ReceiverOptions, WebhookEvent } from 'hooklayer'
import type { IdempotencyStore, WebhookResponse } from 'hooklayer/drivers'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it } from 'vitest'
import { delivery, OTHER_SECRET, order, recordingLogger, SECRET, thrownBy } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'

const A = 'AAAAAAAAAA'
const B = 'BBBBBBBBBB'

interface Meta {
  readonly mode?: unknown
  readonly organization_id?: unknown
}

/** An order that says its organization and mode on the resource, as before API version 2026-05. */
const ofResource = (meta: Meta, attributes: object = {}) => ({
  data: order({ attributes: { number: '2001', ...attributes }, meta: { ...meta } }),
})
/** And on the document, as since. */
const ofDocument = (meta: Meta) => ({ data: order({ meta: { created_with_version: '2026-05' } }), meta })

const code = ({ status, body }: WebhookResponse) => {
  const { outcome, error } = JSON.parse(body)
  return `${status} ${outcome ?? error.code}`
}

const TENANTS: ReceiverOptions['secrets'] = [
  { secret: SECRET, organizationId: A },
  { secret: OTHER_SECRET, organizationId: B },
]
const MODES: ReceiverOptions['secrets'] = [
  { secret: SECRET, organizationId: A, mode: 'test' },
  { secret: OTHER_SECRET, organizationId: A, mode: 'live' },
]

const REFUSED: [string, ReceiverOptions['secrets'], object][] = [
  ['another organization', TENANTS, ofResource({ organization_id: B })],
  ['another organization on the document', TENANTS, ofDocument({ organization_id: B })],
  ['no organization', TENANTS, ofResource({ mode: 'live' })],
  ['an organization that is null', TENANTS, ofResource({ organization_id: null })],
  ['an organization that is a list', TENANTS, ofResource({ organization_id: [A] })],
  ['another mode', MODES, ofResource({ organization_id: A, mode: 'live' })],
  ['another mode on the document', MODES, ofDocument({ organization_id: A, mode: 'live' })],
  ['a mode that there is not', MODES, ofResource({ organization_id: A, mode: 'sandbox' })],
]

const ACCEPTED: [string, ReceiverOptions['secrets'], object][] = [
  ['its organization', TENANTS, ofResource({ organization_id: A, mode: 'live' })],
  ['its organization on the document', TENANTS, ofDocument({ organization_id: A })],
  ['its organization and mode', MODES, ofDocument({ organization_id: A, mode: 'test' })],
  ['no mode', MODES, ofResource({ organization_id: A })],
  ['its mode, of any organization', { secret: SECRET, mode: 'test' }, ofResource({ mode: 'test' })],
  [
    'another organization, of a secret for two',
    [
      { secret: SECRET, organizationId: B },
      { secret: SECRET, organizationId: A },
    ],
    ofResource({ organization_id: A }),
  ],
  ['anything, of a secret without a label', [SECRET, { secret: OTHER_SECRET, organizationId: B }], ofResource({})],
]

const asFunction = (secrets: ReceiverOptions['secrets']) => async () => secrets as never
const asMap = (secrets: ReceiverOptions['secrets']) => ({
  'orders.place': secrets as never,
  'orders.approve': secrets as never,
})

describe.each(await inBothRuntimes(() => import('hooklayer')))('a labelled secret, on %s,', (_, hooklayer) => {
  function receiverWith(options: ReceiverOptions) {
    const { logger, lines } = recordingLogger()
    const events: WebhookEvent[] = []
    const receiver = hooklayer.createReceiver({ logger, ...options })
    receiver.on(['orders.place', 'orders.approve'], (event) => void events.push(event))
    return { receiver, events, lines }
  }

  it.each(REFUSED)('does not sign for %s', async (_, secrets, document) => {
    for (const form of [secrets, asFunction(secrets), asMap(secrets)]) {
      const inbox = createMemoryInbox()
      for (const options of [{}, { inbox }, { idempotency: { store: createMemoryStore() } }]) {
        const { receiver, events, lines } = receiverWith({ secrets: form, ...options })
        expect(code(await receiver.receive(delivery('orders.place', document)))).toBe('401 SIGNATURE_MISMATCH')
        expect(events).toEqual([])
        const reasons = lines.map(({ message }) => message).filter((message) => message.includes('SIGNATURE_MISMATCH'))
        expect(reasons).toEqual([expect.stringMatching(/another organization or mode/)])
      }
      expect((await inbox.statistics()).queued).toBe(0)
      const { body, headers } = delivery('orders.place', document)
      const parsing = hooklayer.verify(body, headers, form).then(hooklayer.parse)
      await expect(parsing).rejects.toMatchObject({ code: 'SIGNATURE_MISMATCH' })
    }
  })

  it.each(ACCEPTED)('signs for %s', async (_, secrets, document) => {
    for (const form of [secrets, asFunction(secrets), asMap(secrets)]) {
      const { receiver } = receiverWith({ secrets: form })
      expect(code(await receiver.receive(delivery('orders.place', document)))).toBe('200 handled')
      const { receiver: storing } = receiverWith({ secrets: form, inbox: createMemoryInbox() })
      expect(code(await storing.receive(delivery('orders.place', document)))).toBe('202 queued')
    }
  })

  it('does not let a document into an inbox that cannot say its organization', async () => {
    const { receiver } = receiverWith({ secrets: TENANTS, inbox: createMemoryInbox() })
    expect(code(await receiver.receive(delivery('orders.place', '{}')))).toBe('400 DOCUMENT_INVALID')
  })

  it('does not let one organization make an event of another one stale or a duplicate', async () => {
    for (const stored of [false, true]) {
      const store = createMemoryStore()
      const { receiver, events } = receiverWith({ secrets: TENANTS, idempotency: { store } })
      const deliver = async (topic: string, document: object, secret: string) => {
        const request = delivery(topic, document, secret)
        if (stored) await receiver.handleStored({ topic, body: request.body, receivedAt: new Date() })
        else expect((await receiver.receive(request)).status).toBe(200)
      }
      const later = { updated_at: '2099-01-01T00:00:00.000Z' }
      const now = { updated_at: '2026-11-01T00:00:00.000Z' }
      await deliver('orders.place', ofResource({ organization_id: A }, now), SECRET)
      await deliver('orders.approve', ofResource({ organization_id: A }, later), SECRET)
      await deliver('orders.place', ofResource({ organization_id: B }, now), OTHER_SECRET)
      expect(events.map(({ organizationId, topic, stale }) => [organizationId, topic, stale])).toEqual([
        [A, 'orders.place', false],
        [A, 'orders.approve', false],
        [B, 'orders.place', false],
      ])
      await deliver('orders.place', ofResource({ organization_id: B }, now), OTHER_SECRET)
      expect(events).toHaveLength(3)
    }
  })

  it('does not let an event in test make the same one in live a duplicate', async () => {
    for (const secrets of [MODES, asFunction(MODES), asMap(MODES)]) {
      const { receiver, events } = receiverWith({ secrets, idempotency: { store: createMemoryStore() } })
      const inTest = ofResource({ organization_id: A, mode: 'test' })
      const live = ofResource({ organization_id: A, mode: 'live' })
      expect(code(await receiver.receive(delivery('orders.place', inTest)))).toBe('200 handled')
      expect(code(await receiver.receive(delivery('orders.place', live, OTHER_SECRET)))).toBe('200 handled')
      expect(code(await receiver.receive(delivery('orders.place', live, OTHER_SECRET)))).toBe('200 duplicate')
      expect(await receiver.redeliver('orders.place', inTest)).toBe('duplicate')
      expect(events.map(({ mode }) => mode)).toEqual(['test', 'live'])
    }
  })

  it('does not count what it refuses as failures of a genuine delivery', async () => {
    const { receiver, lines } = receiverWith({ secrets: TENANTS })
    for (let i = 0; i < 25; i += 1) await receiver.receive(delivery('orders.place', ofResource({ organization_id: B })))
    expect(lines.map(({ message }) => message)).not.toContainEqual(expect.stringMatching(/in a row/))
  })

  it('is not told to a handler, an error or the log', async () => {
    const { receiver, events, lines } = receiverWith({ secrets: TENANTS })
    await receiver.receive(delivery('orders.place', ofResource({ organization_id: A })))
    const { inspect } = await import('node:util')
    expect(inspect([events, lines], { depth: 9, showHidden: true })).not.toContain(SECRET)
    expect(
      String(thrownBy(() => hooklayer.createReceiver({ secrets: { secret: `${SECRET}\n`, mode: 'live' } }))),
    ).not.toContain(SECRET)
  })
})

const { createReceiver } = await import('hooklayer')

describe('the keys of a store', () => {
  /** The keys and the versions that a store is asked for. */
  async function keysWith(options: Partial<ReceiverOptions>, secret = SECRET): Promise<unknown[]> {
    const asked: unknown[] = []
    const store = createMemoryStore()
    const recording: IdempotencyStore = {
      ...store,
      reserve(key, reserveOptions) {
        asked.push(key, reserveOptions.version?.resource)
        return store.reserve(key, reserveOptions)
      },
    }
    const { logger } = recordingLogger()
    const receiver = createReceiver({ secrets: SECRET, logger, idempotency: { store: recording }, ...options })
    let id = ''
    receiver.on('orders.*', (event) => {
      id = event.id
    })
    const document = ofResource({ organization_id: A, mode: 'test' }, { updated_at: '2026-11-01T00:00:00.000Z' })
    await receiver.receive(delivery('orders.place', document, secret))
    return asked.map((one) => (typeof one === 'string' ? one.replace(id, '<id>') : one))
  }

  it('do not change without a label', async () => {
    expect(await keysWith({})).toEqual(['<id>', 'orders/NrlYhpzLKA'])
    expect(await keysWith({ secrets: () => SECRET })).toEqual(['<id>', 'orders/NrlYhpzLKA'])
    expect(await keysWith({ secrets: [{ secret: OTHER_SECRET, mode: 'test' }, SECRET] })).toEqual([
      '<id>',
      'orders/NrlYhpzLKA',
    ])
  })

  it('hold the organization and the mode with a label', async () => {
    const labelled = [`["${A}","test"] <id>`, `${A}/test/orders/NrlYhpzLKA`]
    expect(await keysWith({ secrets: MODES })).toEqual(labelled)
    expect(await keysWith({ secrets: () => ({ secret: SECRET, mode: 'test' }) })).toEqual(labelled)
    expect(await keysWith({ secrets: [{ secret: OTHER_SECRET, mode: 'test' }, SECRET] }, OTHER_SECRET)).toEqual(
      labelled,
    )
  })
})
