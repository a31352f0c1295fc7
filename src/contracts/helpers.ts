import type { Logger } from 'hooklayer'
import { it } from 'vitest'

export interface LogLine {
  readonly level: keyof Logger
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>> | undefined
}

/** A logger that records its lines. */
export function recordingLogger(): { logger: Logger; lines: LogLine[]; messages: () => string[] } {
  const lines: LogLine[] = []
  const record = (level: keyof Logger) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
    lines.push({ level, message, fields })
  }
  const logger = { debug: record('debug'), info: record('info'), warn: record('warn'), error: record('error') }
  return { logger, lines, messages: () => lines.map(({ message }) => message) }
}

/** The value that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('It was not rejected.')
    },
    (thrown: unknown) => thrown,
  )
}

/** The value that a function throws. */
export function thrownBy(act: () => unknown): unknown {
  try {
    act()
  } catch (thrown) {
    return thrown
  }
  throw new Error('It did not throw.')
}

/** `it`; where there is a reason why not, it is skipped, and its name says why. */
export function itUnless(
  reason: string | undefined,
): (name: string, ...testCase: [body: () => unknown, timeout?: number]) => void {
  return (name, body, timeout) => {
    if (reason) it.skip(nameWithReason(name, reason), () => {})
    else it(name, body, timeout)
  }
}

export function nameWithReason(name: string, reason: string): string {
  return `${name} (not here: ${reason})`
}
