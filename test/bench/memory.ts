import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from './children.ts'
import type { MemoryAnswer, MemoryQuestion, MemoryTask } from './memory-receiver.ts'
import type { Findings } from './report.ts'
import { RUN_SIZES } from './run-sizes.ts'

const KILOBYTES = 2
const MEGABYTE = 2 ** 20

const NAMES: Record<MemoryTask['keeps'], string> = {
  store: 'inline, memory store of 10,000',
  inbox: 'SQLite inbox and its worker',
}

/** Does the memory of a receiver stay flat? */
export async function benchMemory(keeps: MemoryTask['keeps'], progress: (message: string) => void): Promise<Findings> {
  const { marks } = RUN_SIZES.memory
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-bench-'))
  const task: MemoryTask = { keeps, file: join(folder, 'inbox.sqlite'), kilobytes: KILOBYTES }
  const child = startChild<MemoryQuestion, MemoryAnswer>('./memory-receiver.ts', task)
  const answers: MemoryAnswer[] = []
  for (const [at, mark] of marks.entries()) {
    progress(`memory, ${NAMES[keeps]}, ${mark} deliveries`)
    answers.push(await child.ask({ deliveries: mark - (marks[at - 1] ?? 0) }))
  }
  await child.end()
  rmSync(folder, { recursive: true })
  return findingsOf(keeps, marks, answers)
}

function findingsOf(keeps: MemoryTask['keeps'], marks: readonly number[], answers: readonly MemoryAnswer[]): Findings {
  const megabytes = (bytes: number) => bytes / MEGABYTE
  const [first, last] = [answers.at(0)?.heap ?? Number.NaN, answers.at(-1)?.heap ?? Number.NaN]
  const title = `Memory of one process after so many deliveries of ${KILOBYTES} KB: heap after a full collection, RSS`
  const cells = answers.map(({ heap, rss }) => `${megabytes(heap).toFixed(1)} MB, ${megabytes(rss).toFixed(0)} MB`)
  const head = ['', ...marks.map((mark) => mark.toLocaleString('en'))]
  const bar = { what: `MB of heap over ${head[1]}, ${NAMES[keeps]}`, figure: megabytes(last - first), atMost: 10 }
  return { tables: [{ title, head, rows: [[NAMES[keeps], ...cells]] }], bars: [bar] }
}
