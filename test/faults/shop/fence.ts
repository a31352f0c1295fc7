import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createPostgresStore } from '../../../src/stores/postgres.ts'
import type { Settings } from './settings.ts'
import type { At } from './stages.ts'

/** A destination that applies each event id once, however often it is called. */
export interface Fence {
  take(id: string, number: number): Promise<void>
  close(): Promise<void>
}

export function openFence(settings: Settings, at: At): Fence {
  return settings.fence === 'file' ? openFolder(settings) : openTable(settings, at)
}

/** The folder of the links: each is named after its event and points to the number. */
export function getFenceFolder(effects: string): string {
  return `${effects}.fenced`
}

function openFolder({ effects }: Settings): Fence {
  const folder = getFenceFolder(effects)
  mkdirSync(folder, { recursive: true })
  return {
    async take(id, number) {
      try {
        // A link is created together with its number, even if the process is killed. A file might be empty.
        symlinkSync(String(number), join(folder, id))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
    },
    close: async () => {},
  }
}

/** The table itself allows duplicate rows. The reservation, which is committed with the row, prevents them. */
function openTable({ place, name = 'hooklayer' }: Settings, at: At): Fence {
  const opened = import('pg').then(({ default: pg }) => {
    const pool = new pg.Pool({ connectionString: place })
    pool.on('error', () => {})
    return pool
  })
  return {
    async take(id, number) {
      const client = await (await opened).connect()
      const events = createPostgresStore({ client, table: `${name}_fence` })
      try {
        await client.query('begin')
        const reservation = await events.reserve(id, { leaseMs: 1000, version: undefined })
        if (reservation.state === 'reserved') {
          await client.query(`insert into ${name}_effects values ($1, $2)`, [id, number])
          at('within-transaction')
          await events.complete(id, reservation.token, { retentionMs: 3_600_000, version: undefined })
        }
        at('before-commit')
        await client.query('commit')
        client.release()
      } catch (error) {
        client.release(true)
        throw error
      }
    },
    async close() {
      await (await opened).end()
    },
  }
}
