import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createPostgresStore } from '../../../src/stores/postgres.ts'
import type { Settings } from './settings.ts'
import type { At } from './stages.ts'

/** A destination that knows an event by its id, and lets it take effect once, however often it is told. */
export interface Fence {
  take(id: string, number: number): Promise<void>
  close(): Promise<void>
}

export function openFence(settings: Settings, at: At): Fence {
  return settings.fence === 'file' ? openFolder(settings) : openTable(settings, at)
}

/** Where the links of such a fence are: each is called as its event, and points at the number. */
export function getFenceFolder(effects: string): string {
  return `${effects}.fenced`
}

function openFolder({ effects }: Settings): Fence {
  const folder = getFenceFolder(effects)
  mkdirSync(folder, { recursive: true })
  return {
    async take(id, number) {
      try {
        // A link is there with its number or not at all, whenever the process is killed; a file may be there and still be empty.
        symlinkSync(String(number), join(folder, id))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
    },
    close: async () => {},
  }
}

/** Nothing about the table keeps a row from being there twice: what does is the claim, which is committed with the row. */
function openTable({ place, name = 'hooklayer' }: Settings, at: At): Fence {
  const opened = import('pg').then(({ default: pg }) => {
    const pool = new pg.Pool({ connectionString: place })
    pool.on('error', () => {})
    return pool
  })
  return {
    async take(id, number) {
      const client = await (await opened).connect()
      const claims = createPostgresStore({ client, table: `${name}_fence` })
      try {
        await client.query('begin')
        const claim = await claims.reserve(id, { leaseMs: 1000, version: undefined })
        if (claim.state === 'reserved') {
          await client.query(`insert into ${name}_effects values ($1, $2)`, [id, number])
          at('within the transaction')
          await claims.complete(id, claim.token, { retentionMs: 3_600_000, version: undefined })
        }
        at('before the commit')
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
