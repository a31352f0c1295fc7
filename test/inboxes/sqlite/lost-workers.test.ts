import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { describe, expect, it } from 'vitest'
import {
  createRecording,
  createScene,
  createSeveral,
  createStored,
  type InboxPlace,
  listDeadLetters,
  putAll,
} from '../../../src/contracts/inbox/harness.ts'
import { createFolder } from './place.ts'
import { startProcess } from './process.ts'

const LEASE_MS = 300

async function createSharedScene() {
  const { file, remove } = createFolder()
  const place: InboxPlace = { open: () => createSqliteInbox({ file, leaseMs: LEASE_MS }), end: remove }
  const scene = await createScene({ start: () => place, timeoutMs: 30_000, isDurable: true })
  return { ...scene, file, inbox: await scene.open() }
}

describe('workers that are lost again and again', { timeout: 90_000 }, () => {
  it('by one delivery do not take the others with it', async () => {
    const { inbox, file } = await createSharedScene()
    await putAll(inbox, [createStored('deadly'), ...createSeveral(9, 'good')])
    const handled: string[] = []
    for (let starts = 0; starts < 30 && (await inbox.statistics()).oldest; starts += 1) {
      const child = startProcess('deadly', file, 'none', '0', String(LEASE_MS))
      const isEmpty = async () => {
        while ((await inbox.statistics()).oldest) await new Promise((resolve) => setTimeout(resolve, 50))
      }
      await Promise.race([child.ended, isEmpty()])
      await child.kill()
      handled.push(...child.messages.filter((message) => message.startsWith('handled')))
    }
    expect(new Set(handled)).toEqual(new Set(createSeveral(9, 'good').map(({ id }) => `handled ${id}`)))
    expect(await listDeadLetters(inbox)).toMatchObject([{ id: 'deadly', error: { code: 'WORKER_LOST' } }])
  })

  it('soon after their start do not make dead letters within minutes', async () => {
    const { inbox, file, consume, waitFor } = await createSharedScene()
    const deliveries = createSeveral(6, 'innocent')
    await putAll(inbox, deliveries)
    for (let starts = 0; starts < 8; starts += 1) {
      await startProcess('crash', file, 'none', '0', String(LEASE_MS)).ended
      await new Promise((resolve) => setTimeout(resolve, LEASE_MS))
    }
    expect(await inbox.statistics()).toMatchObject({ dead: 0 })
    const { process, ended } = createRecording()
    consume(inbox, process, { attempts: 5 })
    await waitFor(() => expect([...ended].sort()).toEqual(deliveries.map(({ id }) => id)))
  })
})
