import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * Environment variables that make glibc keep free memory. By default it returns free memory at the end of its heap to
 * the system, and asks for it again for the next body. Whether that happens depends on the layout of the heap at the
 * start: two processes of the same program then differ by a fifth at 200 KB, as long as they live.
 */
export const KEEPS_MEMORY = { MALLOC_TRIM_THRESHOLD_: String(2 ** 28), MALLOC_MMAP_THRESHOLD_: String(2 ** 25) }

/** A program of this folder in a process of its own, which answers one question at a time. */
export interface Child<Question, Answer> {
  /** @throws if it ends instead. */
  ask(question: Question): Promise<Answer>
  end(): Promise<void>
}

/** @param task is passed to the program as its only argument. */
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

/** The other side: answers each question, and ends when the parent disconnects. */
export function answerWith<Question>(answer: (question: Question) => unknown): void {
  process.on('message', async (question: Question) => process.send?.((await answer(question)) ?? null))
  process.once('disconnect', () => process.exit())
}

export function readTask<Task>(): Task {
  return JSON.parse(String(process.argv[2]))
}
