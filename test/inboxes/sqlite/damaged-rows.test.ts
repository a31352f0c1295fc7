import { brotliCompressSync, crc32 } from 'node:zlib'
import type { DeadLetter } from 'hooklayer'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import Libsql from 'libsql'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createRecording,
  createScene,
  createStored,
  type InboxPlace,
  listDeadLetters,
  putAll,
} from '../../../src/contracts/inbox/harness.ts'
import { listAll } from '../../../src/contracts/inbox/listing.ts'
import { prepare } from '../../../src/sqlite/database.ts'
import { createFolder } from './place.ts'

/** SQL for a body with the right checksum. */
function pack(compressed: Buffer): string {
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(compressed))
  return `x'${checksum.toString('hex')}${compressed.toString('hex')}'`
}

/** Changes of the row of a delivery, or of its body, that somebody else could make. */
const DAMAGES: readonly (readonly [name: string, change: string])[] = [
  ['bytes that do not unpack, with the right checksum', `body = ${pack(Buffer.from('not Brotli'))}`],
  ['bytes that unpack to more than 64 MiB', `body = ${pack(brotliCompressSync(Buffer.alloc(64 * 1024 * 1024 + 1)))}`],
  ['a body larger than any that is stored', `body = zeroblob(${70 * 1024 * 1024})`],
  ['no bytes', 'body = zeroblob(0)'],
  ['a time that is none', 'received_at = 9223372036854775807'],
  ['a time before all times', 'received_at = -9223372036854775808'],
  ['an id that is not text', "id = CAST(x'ff41' AS TEXT)"],
]

async function createOpenScene() {
  const { file, remove } = createFolder()
  const database = new Libsql(file)
  onTestFinished(() => {
    database.close()
    remove()
  })
  const place: InboxPlace = { open: () => createSqliteInbox({ database }) }
  const scene = await createScene({ start: () => place, timeoutMs: 20_000, isDurable: true })
  return { ...scene, database, inbox: await scene.open() }
}

describe('a row that somebody else has written', () => {
  it.each(DAMAGES)('with %s is a dead letter that stops nobody', async (_, change) => {
    const { inbox, database, consume, waitFor } = await createOpenScene()
    const group = 'orders/A'
    await putAll(inbox, [createStored('bad', { group }), createStored('good', { group }), createStored('other')])
    const table = change.startsWith('body') ? 'hooklayer_bodies' : 'hooklayer_deliveries'
    database.exec(`UPDATE ${table} SET ${change} WHERE seq = 1`)
    expect(await listAll(inbox)).toHaveLength(3)
    expect(await listAll(inbox, { search: 'nothing' })).toEqual([])
    const { process, ended } = createRecording()
    const errors: string[] = []
    consume(inbox, process, { onError: (error) => errors.push(String(error)) })
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, dead: 1 }))
    expect([...ended].sort()).toEqual(['good', 'other'])
    expect(errors).toEqual([
      'Error: orders.place: BODY_DAMAGED. What was stored is damaged. The delivery is a dead letter now.',
    ])
    const [{ id, error } = { id: '', error: undefined }] = await listDeadLetters(inbox)
    expect(error?.code).toBe('BODY_DAMAGED')
    expect(await inbox.deadLetters.get(id)).toMatchObject({ delivery: { id, group } })
    expect(await inbox.deadLetters.discard('all')).toBe(1)
    expect(await inbox.statistics()).toMatchObject({ dead: 0 })
  })

  it.each([
    ['a number of attempts at its limit', 'attempts = 9223372036854775807', []],
    ['a negative number of attempts', 'attempts = -1000', ['bad']],
    ['a topic that is not text', "topic = CAST(x'ff' AS TEXT)", ['bad']],
    ['a token of nobody', "token = 'x', due_at = 0", ['bad']],
    ['the last place there is', 'seq = 9223372036854775807', ['bad']],
  ])('with %s does not stop the inbox', async (_, change, handled) => {
    const { inbox, database, consume, waitFor } = await createOpenScene()
    await putAll(inbox, [createStored('bad')])
    database.exec(`UPDATE hooklayer_deliveries SET ${change}`)
    if (change.startsWith('seq')) database.exec(`UPDATE hooklayer_bodies SET ${change}`)
    await putAll(inbox, [createStored('good')])
    expect(await listAll(inbox)).toHaveLength(2)
    const { process, ended } = createRecording(({ id }) => {
      if (!handled.includes(id) && id === 'bad') throw new Error('not again')
    })
    consume(inbox, process)
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, failed: 0 }))
    expect([...ended].sort()).toEqual([...handled, 'good'])
  })

  it('as a dead letter without a code, or with an id that is not text, does not end the list or the process', async () => {
    const { inbox, database } = await createOpenScene()
    const insert = `INSERT INTO hooklayer_deliveries (id, topic, received_at, state, due_at) VALUES (?, ?, 1, 2, 1)`
    for (let at = 0; at < 150; at += 1) prepare(database, insert).run(`dead-${at}`, 'orders.place')
    database.exec("UPDATE hooklayer_deliveries SET id = CAST(x'ff' || seq AS TEXT), topic = CAST(x'c3' AS TEXT)")
    const deadLetters: DeadLetter[] = []
    for await (const deadLetter of inbox.deadLetters.list()) {
      deadLetters.push(deadLetter)
      if (deadLetters.length > 150) break
    }
    expect(deadLetters).toHaveLength(150)
    expect(new Set(deadLetters.map(({ error }) => error.code))).toEqual(new Set(['BODY_DAMAGED']))
    expect(await listAll(inbox)).toHaveLength(150)
  })
})

describe('a SQLite file of version 0.1', () => {
  it('gets the columns that it lacks, and its deliveries are handled', async () => {
    const { file, remove } = createFolder()
    onTestFinished(remove)
    const before = createSqliteInbox({ file })
    await putAll(before, [createStored('old')])
    await before.close()
    const database = new Libsql(file)
    for (const column of ['signature', 'traceparent', 'losses']) {
      database.exec(`ALTER TABLE hooklayer_deliveries DROP COLUMN ${column}`)
    }
    database.close()
    const place: InboxPlace = { open: () => createSqliteInbox({ file }) }
    const { open, consume, waitFor } = await createScene({ start: () => place, timeoutMs: 10_000, isDurable: true })
    const [inbox] = [await open(), await open()]
    await putAll(inbox, [createStored('new', { signature: 'signed' })])
    const signatures: unknown[] = []
    consume(inbox, async ({ id, signature }) => void signatures.push(`${id} ${signature}`), { concurrency: 1 })
    await waitFor(() => expect(signatures).toEqual(['old undefined', 'new signed']))
  })
})
