import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createPostgresStore } from 'hooklayer/stores/postgres'
import pg from 'pg'
import type { Effects } from './effects.ts'
import { getFenceFolder } from './shop/fence.ts'

/** The destination of fenced effects, as the test reads it. */
export interface Destination {
  /** The numbers of the events, in order, once for each effect. */
  numbers(): Promise<number[]>
  close(): Promise<void>
}

/** Of `fence: 'file'`. */
export function openFiles({ file }: Effects): Destination {
  const folder = getFenceFolder(file)
  return {
    numbers: async () =>
      readdirSync(folder)
        .map((id) => Number(readlinkSync(join(folder, id))))
        .toSorted((one, other) => one - other),
    close: async () => {},
  }
}

/** Of `fence: 'transaction'`. Creates the tables. */
export async function createTable(connectionString: string, name: string): Promise<Destination> {
  const client = new pg.Pool({ connectionString, max: 1 })
  await client.query(`create table ${name}_effects (event text, number integer)`)
  await createPostgresStore({ client, table: `${name}_fence` }).migrate()
  return {
    async numbers() {
      const { rows } = await client.query(`select number from ${name}_effects order by number`)
      return rows.map(({ number }) => number)
    },
    close: () => client.end(),
  }
}
