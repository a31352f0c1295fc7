import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const OWNER_ONLY = 0o600
const BYTES = 32
/** As of the option `key`. */
const MIN_CHARACTERS = 16

/**
 * The key in a file, which is made with a random one if it does not exist. Processes that do so at the same time get
 * the same key.
 *
 * @throws Error of the file system, and if the file has no key, or a short one.
 */
export function findKey(path: string): string {
  return readKey(path) ?? makeKey(path)
}

function makeKey(path: string): string {
  const made = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  writeFileSync(made, randomBytes(BYTES).toString('hex'), { mode: OWNER_ONLY, flag: 'wx' })
  try {
    linkSync(made, path) // It fails if there is one by now.
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  } finally {
    rmSync(made)
  }
  const key = readKey(path)
  if (key === undefined) throw new Error(`The key of the recorder in ${path} is gone.`)
  return key
}

function readKey(path: string): string | undefined {
  try {
    const key = readFileSync(path, 'utf8').trim()
    if (key.length >= MIN_CHARACTERS) return key
    throw new Error(`The key of the recorder in ${path} has less than ${MIN_CHARACTERS} characters.`)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

function isCode(error: unknown, code: string): boolean {
  return Object(error).code === code
}
