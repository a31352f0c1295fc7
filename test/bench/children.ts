import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * glibc gives memory back to the system as soon as enough of it lies free at the end of its heap, only to ask for it again for the next
 * body. Whether that happens is a matter of what came to lie there when the process began: two processes of the same program differ by
 * a fifth at 200 KB, for as long as they live. So it keeps what it has.
 */
export const KEEPS_MEMORY = { MALLOC_TRIM_THRESHOLD_: String(2 ** 28), MALLOC_MMAP_THRESHOLD_: String(2 ** 25) }

/** A program of this folder in a process of its own, which answers one question after another. */
export interface Child<Question, Answer> {
  /** @throws if it ends instead. */
  ask(question: Question): Promise<Answer>
  end(): Promise<void>
}

/** @param task what it is to be, as its only argument; it is asked when it has started. */
export function startChild<Question, Answer>(file: string, task: object): Child<Question, Answer> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const execArgv = [...process.execArgv, '--expose-gc']
  const child: ChildProcess = fork(path, [JSON.stringify(task)], { execArgv, env: { ...process.env, ...KEEPS_MEMORY } })
  const ended = once(child, 'exit')
  return {
    async ask(question) {
      child.send(question as object)
      const [answer] = await Promise.race([once(child, 'message'), ended.then(failed)])
      return answer
    },
    async end() {
      child.disconnect()
      await ended
    },
  }

  function failed([code]: unknown[]): never {
    throw new Error(`${file} ended with ${code}.`)
  }
}

/** The other side: answers whatever it is asked, and ends when nobody is there to ask any more. */
export function answerWith<Question>(answer: (question: Question) => unknown): void {
  process.on('message', async (question: Question) => process.send?.((await answer(question)) ?? null))
  process.once('disconnect', () => process.exit())
}

export function taskOf<Task>(): Task {
  return JSON.parse(String(process.argv[2]))
}
