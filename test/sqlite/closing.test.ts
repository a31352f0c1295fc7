import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createSqliteStore } from 'hooklayer/stores/sqlite'
import { describe, expect, it } from 'vitest'
import { createSeveral, createStored, putAll } from '../../src/contracts/inbox/harness.ts'
import { itUnless } from '../unless.ts'
import { connect, createFile } from './folder.ts'

const LEASE = { leaseMs: 1000, version: undefined }

describe('a SQLite file that was closed', () => {
  it('leaves no delivery outside of the one file', async () => {
    const [file, copy] = [createFile(), createFile()]
    const inbox = createSqliteInbox({ file })
    await putAll(inbox, createSeveral(20, 'kept'))
    await inbox.close()
    copyFileSync(file, copy)
    const other = createSqliteInbox({ file: copy })
    expect(await other.statistics()).toMatchObject({ queued: 20 })
    expect(await other.put(createStored('kept-7'))).toBe('duplicate')
    await other.close()
  })

  it('leaves no event outside of the one file', async () => {
    const [file, copy] = [createFile(), createFile()]
    const store = createSqliteStore({ file })
    const reserved = await store.reserve('key', LEASE)
    await store.complete('key', String('token' in reserved && reserved.token), {
      retentionMs: 60_000,
      version: undefined,
    })
    await store.close()
    copyFileSync(file, copy)
    const other = createSqliteStore({ file: copy })
    expect(await other.reserve('key', LEASE)).toEqual({ state: 'completed' })
    await other.close()
  })

  itUnless(existsSync('/proc/self/fd') ? undefined : 'there is no /proc')(
    'leaves no descriptor and no log open, however often it is opened and closed',
    async () => {
      const file = createFile()
      for (let at = 0; at < 50; at += 1) {
        const inbox = createSqliteInbox({ file })
        await putAll(inbox, [createStored(`one-${at}`)])
        await inbox.close()
        const store = createSqliteStore({ file })
        await store.reserve(`key-${at}`, LEASE)
        await store.close()
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(listOpenFiles(dirname(file))).toEqual([])
      expect(readdirSync(dirname(file))).toEqual(['hooklayer.db'])
    },
  )
})

/** The files of a folder that this process has open. */
function listOpenFiles(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`)
      return path.startsWith(folder) ? [path] : []
    } catch {
      return []
    }
  })
}

describe('the log of a SQLite file', () => {
  it('does not stay large after another connection has read for long', async () => {
    const file = createFile()
    const inbox = createSqliteInbox({ file })
    const reader = connect(file)
    reader.exec('BEGIN; SELECT count(*) FROM hooklayer_deliveries')
    const bodies = Array.from({ length: 400 }, (_, at) => createStored(`read-${at}`, { body: randomBytes(60_000) }))
    await Promise.all(bodies.map((delivery) => inbox.put(delivery)))
    const logSize = () => statSync(`${file}-wal`).size
    expect(logSize()).toBeGreaterThan(20 * 1024 * 1024)
    reader.exec('COMMIT')
    await putAll(inbox, createSeveral(3, 'after'))
    expect(logSize()).toBeLessThanOrEqual(8 * 1024 * 1024)
    await inbox.close()
  })
})
