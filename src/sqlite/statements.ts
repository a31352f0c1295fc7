import { prepare, type SqliteDatabase, type SqliteStatement } from './database.ts'

export type Statements<Name extends string> = Readonly<Record<Name, SqliteStatement>>

/** Prepares the statements of a driver, given as SQL by name. */
export function prepareStatements<Name extends string>(
  database: SqliteDatabase,
  texts: Readonly<Record<Name, string>>,
): Statements<Name> {
  const prepared = Object.entries<string>(texts).map(([name, text]) => [name, prepare(database, text)])
  return Object.fromEntries(prepared)
}
