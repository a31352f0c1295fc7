import { closeSync, cpSync, mkdirSync, openSync, readdirSync, statSync, truncateSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import Libsql from 'libsql'

/** Numbers from 0 up to 1. */
type Draw = () => number

/** Moves the WAL into the file itself. */
export function checkpoint(file: string): void {
  const database = new Libsql(file)
  database.exec('pragma wal_checkpoint(truncate)')
  database.close()
}

/** Overwrites at least 512 bytes of a file with noise. */
export function damage(file: string, draw: Draw): void {
  const { size } = statSync(file)
  const noise = Uint8Array.from({ length: 512 + Math.floor(draw() * 8000) }, () => Math.floor(draw() * 256))
  const opened = openSync(file, 'r+')
  writeSync(opened, noise, 0, noise.length, Math.floor(draw() * size))
  closeSync(opened)
}

/** Truncates a file to this share of its size. */
export function cut(file: string, share: number): void {
  truncateSync(file, Math.floor(statSync(file).size * share))
}

/** Copies a database as it is, even while it is written, into its own folder. Returns the copy. */
export function copyDatabase(file: string, folder: string): string {
  mkdirSync(folder, { recursive: true })
  const [from, name] = [dirname(file), basename(file)]
  for (const each of readdirSync(from)) if (each.startsWith(name)) cpSync(join(from, each), join(folder, each))
  return join(folder, name)
}
