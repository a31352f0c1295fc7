import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A small disk, in memory. */
export interface Disk {
  readonly folder: string
  /** Fills the disk. */
  fill(): void
  /** Frees the space again. */
  free(): void
  /** Makes the disk read-only. No file on it may be open. */
  protect(): void
  remove(): void
}

export function createDisk(kilobytes: number): Disk {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-disk-'))
  const ballast = join(folder, 'ballast')
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder], { stdio: 'pipe' })
  return {
    folder,
    fill() {
      const opened = openSync(ballast, 'w')
      try {
        for (;;) writeSync(opened, new Uint8Array(4096))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      } finally {
        closeSync(opened)
      }
    },
    free: () => rmSync(ballast),
    protect: () => void execFileSync('mount', ['-o', 'remount,ro', folder]),
    remove() {
      execFileSync('umount', ['--lazy', folder])
      rmSync(folder, { recursive: true })
    },
  }
}

/** Why no disk is available for tests; `undefined` if one is. */
export const noDisk: string | undefined = findObstacle()

function findObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can mount a small disk'
  try {
    createDisk(16).remove()
    return undefined
  } catch {
    return 'no tmpfs can be mounted here'
  }
}
