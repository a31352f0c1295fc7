import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import Libsql from 'libsql'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createRecording,
  createScene,
  createSeveral,
  createStored,
  putAll,
} from '../../../src/contracts/inbox/harness.ts'
import { createFolder } from './place.ts'

const HOUR_MS = 60 * 60 * 1000
const LEASE_MS = 400

/** An inbox on a database whose rows the test can change. */
async function createOpenScene() {
  const { file, remove } = createFolder()
  const database = new Libsql(file)
  onTestFinished(() => {
    database.close()
    remove()
  })
  const place = { open: () => createSqliteInbox({ database, leaseMs: LEASE_MS }) }
  const scene = await createScene({ start: () => place, timeoutMs: 10_000, isDurable: true })
  return { ...scene, inbox: await scene.open(), database }
}

/** As if the clock had been set back by an hour since these columns were written. */
function later(column: string): string {
  return `${column} = ${column} + ${HOUR_MS}`
}

describe('a clock that was set back by an hour', () => {
  it('does not hold back what was leased to a worker that is lost', async () => {
    const { inbox, database, consume, waitFor } = await createOpenScene()
    await putAll(inbox, [createStored('one', { group: 'orders/A' }), createStored('two', { group: 'orders/A' })])
    database.exec(`UPDATE hooklayer_deliveries SET ${later('due_at')}, token = 'of one that was lost', attempts = 1
      WHERE id = 'one'`)
    const attempts: string[] = []
    const begun = performance.now()
    consume(inbox, async ({ id }, { number }) => void attempts.push(`${number} ${id}`))
    await waitFor(() => expect(attempts).toEqual(['2 one', '1 two']))
    expect(performance.now() - begun).toBeGreaterThan(LEASE_MS)
  })

  it('does not end a lease that is renewed', async () => {
    const { inbox, database, consume } = await createOpenScene()
    await putAll(inbox, [createStored('alive')])
    const renew = () =>
      database.exec(`UPDATE hooklayer_deliveries SET token = 'of another', due_at = ${Date.now() + HOUR_MS}`)
    renew()
    const renewal = setInterval(renew, LEASE_MS / 3)
    onTestFinished(() => clearInterval(renewal))
    const { process, started } = createRecording()
    consume(inbox, process)
    await new Promise((resolve) => setTimeout(resolve, 4 * LEASE_MS))
    expect(started).toEqual([])
  })

  it('does not hold back what was stored before, also behind others of its group', async () => {
    const { inbox, database, consume, waitFor } = await createOpenScene()
    const deliveries = [...createSeveral(3, 'grouped', { group: 'orders/A' }), ...createSeveral(3, 'free')]
    await putAll(inbox, deliveries)
    database.exec(`UPDATE hooklayer_deliveries SET ${later('received_at')}, ${later('due_at')}`)
    const { process, ended } = createRecording()
    consume(inbox, process)
    await waitFor(() => expect([...ended].sort()).toEqual(deliveries.map(({ id }) => id).sort()))
  })

  it('does not make a delivery skip the pause before its next attempt', async () => {
    const { inbox, database, consume, waitFor } = await createOpenScene()
    await putAll(inbox, [createStored('failing')])
    database.exec(`UPDATE hooklayer_deliveries SET ${later('received_at')}, ${later('due_at')}`)
    const { process, started } = createRecording(() => {
      throw new Error('not yet')
    })
    consume(inbox, process, { delayMs: () => 60_000 })
    await waitFor(() => expect(started).toEqual(['failing']))
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(started).toEqual(['failing'])
  })
})
