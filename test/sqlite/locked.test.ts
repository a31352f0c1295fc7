import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createSqliteStore } from 'hooklayer/stores/sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSeveral, createStored } from '../../src/contracts/inbox/harness.ts'
import { rejection } from '../deliveries.ts'
import { connect, createFile } from './folder.ts'

/** Locks a file for writing, as another process would. */
function lock(file: string): { free(): void } {
  const other = connect(file)
  other.exec('BEGIN IMMEDIATE')
  return { free: () => void other.exec('COMMIT') }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** The longest time that the event loop stood still while `work` ran. */
async function longestStop(work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }, 5)
  await work()
  clearInterval(timer)
  return longest
}

interface Engine {
  /** Writes one thing. */
  write(name: string): Promise<unknown>
  close(): Promise<void>
}

const ENGINES: [string, (file: string) => Engine][] = [
  [
    'an inbox',
    (file) => {
      const inbox = createSqliteInbox({ file })
      return { write: (name) => inbox.put(createStored(name)), close: () => inbox.close() }
    },
  ],
  [
    'a store',
    (file) => {
      const store = createSqliteStore({ file })
      return {
        write: (name) => store.reserve(name, { leaseMs: 60_000, version: undefined }),
        close: () => store.close(),
      }
    },
  ],
]

describe.each(ENGINES)('a SQLite file that another process has locked, of %s', (_, open) => {
  it('blocks no event loop, and refuses nobody who can wait', async () => {
    const file = createFile()
    const { write, close } = open(file)
    onTestFinished(close)
    const { free } = lock(file)
    const stopped = await longestStop(async () => {
      const waiting = createSeveral(50, 'early').map(({ id }) => write(id))
      await pause(1500)
      const late = createSeveral(50, 'late').map(({ id }) => write(id))
      await pause(500)
      free()
      const results = await Promise.all([...waiting, ...late])
      expect(results).toHaveLength(100)
    })
    expect(stopped).toBeLessThan(1000)
  })

  it('leaves no sender without an answer for five seconds, however long it is locked', {
    timeout: 20_000,
  }, async () => {
    const file = createFile()
    const { write, close } = open(file)
    onTestFinished(close)
    const { free } = lock(file)
    const began = performance.now()
    const answers: { readonly afterMs: number; readonly answer: unknown }[] = []
    const send = async (name: string) => {
      const sent = performance.now()
      const answer = await write(name).catch((error: unknown) => error)
      answers.push({ afterMs: performance.now() - sent, answer })
    }
    const sent = []
    for (let at = 0; performance.now() - began < 6000; at += 1) {
      sent.push(send(`one-${at}`))
      await pause(100)
    }
    free()
    await Promise.all(sent)
    expect(answers.filter(({ afterMs }) => afterMs > 5000)).toEqual([])
    const refused = answers.filter(({ answer }) => answer instanceof Error)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(answers.length / 2)
    for (const { answer } of refused) expect(String(answer)).toContain('locked')
  })
})

describe('an inbox that is closed while its file is locked', () => {
  it('does not wait for longer than a write, and rejects what it could not store', { timeout: 20_000 }, async () => {
    const file = createFile()
    const inbox = createSqliteInbox({ file })
    const { free } = lock(file)
    const put = rejection(inbox.put(createStored('one')))
    await inbox.close()
    expect(await put).toBeInstanceOf(Error)
    free()
  })
})
