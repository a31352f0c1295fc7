import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Line } from './shop/settings.ts'

/** The effects of handlers, in a file outside of their processes, so that the tested code counts nothing. */
export interface Effects {
  readonly file: string
  /** A folder for the databases of the test. */
  readonly folder: string
  /** All lines, in the order in which they were written. */
  lines(): Line[]
  /** How often each event took effect, by `metadata.number`. */
  counts(): Map<number, number>
  remove(): void
}

export function createEffects(): Effects {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-faults-'))
  const file = join(folder, 'effects.jsonl')
  writeFileSync(file, '')
  const lines = () => readFileSync(file, 'utf8').split('\n').flatMap(parseLine)
  return {
    file,
    folder,
    lines,
    counts() {
      const counts = new Map<number, number>()
      for (const { what, number } of lines()) {
        if (what === 'effect') counts.set(number, (counts.get(number) ?? 0) + 1)
      }
      return counts
    },
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}

/** Empty for a partial line: its process is writing it, or was killed meanwhile. */
function parseLine(text: string): Line[] {
  try {
    return [JSON.parse(text) as Line]
  } catch {
    return []
  }
}
