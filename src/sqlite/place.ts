import { closeSync, fchmodSync, openSync, statSync } from 'node:fs'

const OWNER_ONLY = 0o600

/**
 * Creates the file for its owner only, whatever the umask. SQLite gives the same mode to the files that it puts beside
 * it. A file that exists is left alone: to open and close it here would end the locks that SQLite has on it.
 */
export function createPrivateFile(file: string): void {
  let descriptor: number
  try {
    descriptor = openSync(file, 'wx', OWNER_ONLY)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return
    throw error
  }
  fchmodSync(descriptor, OWNER_ONLY)
  closeSync(descriptor)
}

/**
 * Remembers which files are at these paths now. The function that it returns throws once one of them was deleted or
 * replaced: whoever has it open still writes to it without an error, but nobody will find that again. A path without a
 * file is ignored.
 */
export function watchPlace(paths: readonly string[]): () => void {
  const files = paths.map((path) => ({ path, identity: identify(path) })).filter(({ identity }) => identity)
  return () => {
    const lost = files.find(({ path, identity }) => identify(path) !== identity)
    if (lost) {
      throw new Error(
        `The SQLite file ${lost.path} was deleted or replaced while it was open. What is written would be lost, so nothing is written. Put the file back, or restart the process to use the one that is there.`,
      )
    }
  }
}

function identify(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.dev} ${stat.ino}`
}
