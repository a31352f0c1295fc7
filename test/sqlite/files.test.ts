import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Inbox, PermanentError } from 'hooklayer'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createSqliteStore } from 'hooklayer/stores/sqlite'
import Libsql from 'libsql'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createRecording,
  createScene,
  createStored,
  type InboxPlace,
  putAll,
} from '../../src/contracts/inbox/harness.ts'
import { compressBody } from '../../src/inboxes/queue/compressed-body.ts'

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-sqlite-files-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

function setUmask(umask: number): void {
  const before = process.umask(umask)
  onTestFinished(() => void process.umask(before))
}

const modes = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((file) => [file, (statSync(join(folder, file)).mode & 0o777).toString(8)]))

describe.each(['000', '022', '777'])('a SQLite file that is created under a umask of %s', (umask) => {
  it('can be read by nobody but its owner, as an inbox', async () => {
    setUmask(Number.parseInt(umask, 8))
    const folder = newFolder()
    const inbox = createSqliteInbox({ file: join(folder, 'a.db') })
    expect(modes(folder)).toEqual({ 'a.db': '600', 'a.db-shm': '600', 'a.db-wal': '600' })
    await putAll(inbox, [createStored('one')])
    expect(modes(folder)).toEqual({ 'a.db': '600', 'a.db-shm': '600', 'a.db-wal': '600' })
    await inbox.close()
    expect(new Set(Object.values(modes(folder)))).toEqual(new Set(['600']))
  })

  it('can be read by nobody but its owner, as a store', async () => {
    setUmask(Number.parseInt(umask, 8))
    const folder = newFolder()
    const store = createSqliteStore({ file: join(folder, 'a.db') })
    await store.reserve('key', { leaseMs: 1000, version: undefined })
    expect(modes(folder)).toEqual({ 'a.db': '600', 'a.db-shm': '600', 'a.db-wal': '600' })
    await store.close()
    expect(new Set(Object.values(modes(folder)))).toEqual(new Set(['600']))
  })
})

describe('a SQLite file that exists', () => {
  it('keeps its mode', async () => {
    const folder = newFolder()
    const file = join(folder, 'a.db')
    await createSqliteInbox({ file }).close()
    chmodSync(file, 0o660)
    const inbox = createSqliteInbox({ file })
    expect(modes(folder)).toMatchObject({ 'a.db': '660' })
    await inbox.close()
  })
})

/** The files that hold a part of one of the bodies, as it is stored. */
function findBodies(folder: string, bodies: readonly Uint8Array[]): string[] {
  const parts = bodies.map((body) => compressBody(body).subarray(1000, 1032))
  return readdirSync(folder).filter((file) => {
    const bytes = readFileSync(join(folder, file))
    return parts.some((part) => bytes.includes(part))
  })
}

describe.each<[string, (file: string) => { open(): Inbox; end(): void }]>([
  ['that was opened here', (file) => ({ open: () => createSqliteInbox({ file }), end: () => {} })],
  [
    'that was given and stays open',
    (file) => {
      const database = new Libsql(file)
      return { open: () => createSqliteInbox({ database }), end: () => void database.close() }
    },
  ],
])('a SQLite file %s', (_, start) => {
  it('has no body left after handling, discarding and closing', async () => {
    const folder = newFolder()
    const { open, end } = start(join(folder, 'a.db'))
    const place: InboxPlace = { open }
    const { consume, waitFor } = await createScene({ start: () => place, timeoutMs: 10_000, isDurable: true })
    const inbox = open()
    const bodies = Array.from({ length: 50 }, () => randomBytes(20_000))
    await putAll(
      inbox,
      bodies.map((body, at) => createStored(`${at % 5 === 0 ? 'bad' : 'good'}-${at}`, { body })),
    )
    expect(findBodies(folder, bodies)).not.toEqual([])
    const { process } = createRecording(({ id }) => {
      if (id.startsWith('bad')) throw new PermanentError('no use')
    })
    const worker = consume(inbox, process)
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, dead: 10 }))
    await worker.stop()
    expect(await inbox.deadLetters.discard('all')).toBe(10)
    await inbox.close()
    expect(findBodies(folder, bodies)).toEqual([])
    end()
  })

  it('names no erased resource after closing, and has nothing of its body', async () => {
    const folder = newFolder()
    const { open, end } = start(join(folder, 'a.db'))
    const { consume, waitFor } = await createScene({ start: () => ({ open }), timeoutMs: 10_000, isDurable: true })
    const inbox = open()
    const erased = { type: 'orders', id: 'secret-id' }
    const body = Buffer.from(JSON.stringify({ data: { ...erased, note: randomBytes(10_000).toString('base64') } }))
    const { process } = createRecording(() => Promise.reject(new Error('no use')))
    const worker = consume(inbox, process, { delayMs: () => 3_600_000 })
    await putAll(inbox, [createStored('one', { body, group: 'orders/secret-id', signature: 'signed' })])
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ failed: 1 }))
    await worker.stop()
    expect(findText(folder, erased.id)).not.toEqual([])
    expect(await inbox.erase(erased)).toMatchObject({ failed: 1 })
    await inbox.close()
    expect([...findBodies(folder, [body]), ...findText(folder, erased.id)]).toEqual([])
    end()
  })
})

function findText(folder: string, text: string): string[] {
  return readdirSync(folder).filter((file) => readFileSync(join(folder, file)).includes(text))
}
