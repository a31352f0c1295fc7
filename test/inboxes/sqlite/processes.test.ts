import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  createRecording,
  createScene,
  createSeveral,
  createStored,
  type InboxPlace,
  putAll,
  type Scene,
} from '../../../src/contracts/inbox/harness.ts'
import { createFolder } from './place.ts'
import { startProcess } from './process.ts'

const EMPTY = { queued: 0, running: 0, failed: 0, unhandled: 0, dead: 0, oldest: undefined, byTopic: {} }

/**
 * Longer than any process stands still on a busy machine: a delivery is handled twice only if its lease has run out.
 */
const LONG_LEASE_MS = 30_000

async function createSharedScene(leaseMs = 500): Promise<Scene & { readonly file: string }> {
  const { file, remove } = createFolder()
  const place: InboxPlace = { open: (options) => createSqliteInbox({ file, leaseMs, ...options }), end: remove }
  const scene = await createScene({ start: () => place, timeoutMs: 15_000, isDurable: true })
  return { ...scene, file }
}

describe('processes that share a SQLite file', { timeout: 40_000 }, () => {
  it('create it at once, store into it, and handle each delivery once', async () => {
    const { file, open, consume, waitFor } = await createSharedScene(LONG_LEASE_MS)
    const putting = [startProcess('put', file, 'left', '150'), startProcess('put', file, 'right', '150')]
    const working = startProcess('work', file, 'none', '0', String(LONG_LEASE_MS))
    const inbox = await open()
    await Promise.all(createSeveral(150, 'here').map((delivery) => inbox.put(delivery)))
    const { process, started } = createRecording()
    consume(inbox, process)
    await Promise.all(putting.map((child) => child.waitForMessage('done')))
    await waitFor(async () => expect(await inbox.statistics()).toEqual(EMPTY))
    const handled = () => [
      ...started.map((id) => `1 ${id}`),
      ...working.messages.filter((message) => message !== 'open'),
    ]
    await waitFor(() => expect(handled()).toHaveLength(450))
    const ids = ['left', 'right', 'here'].flatMap((name) => createSeveral(150, name).map(({ id }) => `1 ${id}`))
    expect(new Set(handled())).toEqual(new Set(ids))
  })

  it('recognize what each other has stored', async () => {
    const { file, open } = await createSharedScene()
    const inbox = await open()
    const child = startProcess('put', file, 'twin', '3')
    await child.waitForMessage('done')
    expect(await inbox.put(createStored('twin-1'))).toBe('duplicate')
    const second = startProcess('put', file, 'twin', '3')
    await second.waitForMessage('done')
    expect(second.messages).toEqual(['open', 'duplicate twin-0', 'duplicate twin-1', 'duplicate twin-2', 'done'])
  })
})

describe('a process that is killed', { timeout: 40_000 }, () => {
  it('leaves its delivery to another worker after the lease, in the order of the group', async () => {
    const { file, open, consume, waitFor } = await createSharedScene()
    const inbox = await open()
    await putAll(inbox, [createStored('first', { group: 'orders/A' }), createStored('second', { group: 'orders/A' })])
    const child = startProcess('hang', file)
    await child.waitForMessage('1 first')
    const attempts: string[] = []
    consume(inbox, async ({ id }, { number }) => void attempts.push(`${number} ${id}`))
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ running: 1, queued: 1 }))
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect(attempts).toEqual([])
    await child.kill()
    await waitFor(() => expect(attempts).toEqual(['2 first', '1 second']))
  })

  it('does not take every other worker down with its delivery', async () => {
    const { file, open, consume, waitFor } = await createSharedScene()
    const inbox = await open()
    await putAll(inbox, [createStored('deadly')])
    const child = startProcess('hang', file)
    await child.waitForMessage('1 deadly')
    await child.kill()
    const { process, started } = createRecording()
    const onError = vi.fn()
    consume(inbox, process, { attempts: 1, onError })
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ dead: 1 }))
    expect(await inbox.deadLetters.get('deadly')).toMatchObject({ attempts: 1, error: { code: 'WORKER_LOST' } })
    const message =
      'orders.place: WORKER_LOST. The worker was lost while it handled the delivery. The delivery is a dead letter now.'
    expect(onError.mock.calls).toEqual([[new Error(message)]])
    expect(started).toEqual([])
  })

  it('has lost none of the deliveries that it had acknowledged', async () => {
    const { file, open } = await createSharedScene()
    const child = startProcess('put', file, 'acknowledged', '100000')
    await child.waitForMessage('stored acknowledged-40')
    await child.kill()
    const acknowledged = child.messages.flatMap((message) => /^stored (.+)$/.exec(message)?.[1] ?? [])
    expect(acknowledged.length).toBeGreaterThan(40)
    const inbox = await open()
    for (const id of acknowledged) expect(await inbox.put(createStored(id))).toBe('duplicate')
    const { queued } = await inbox.statistics()
    expect(queued - acknowledged.length).toBeLessThanOrEqual(1)
  })

  it('has stored what it could not answer, and the duplicate is recognized', async () => {
    const { file, open, consume, waitFor } = await createSharedScene()
    const child = startProcess('put-and-die', file, 'unanswered')
    expect(await child.ended).toBe('SIGKILL')
    const inbox = await open()
    expect(await inbox.put(createStored('unanswered-0'))).toBe('duplicate')
    const { process, ended } = createRecording()
    consume(inbox, process)
    await waitFor(() => expect(ended).toEqual(['unanswered-0']))
  })
})

describe('a process whose worker was stopped', () => {
  it('ends by itself', async () => {
    const { file, remove } = createFolder()
    onTestFinished(remove)
    const child = startProcess('work-once', file, 'only')
    expect(await child.ended).toBe(0)
    expect(child.messages).toEqual(['open', '1 only'])
  })
})
