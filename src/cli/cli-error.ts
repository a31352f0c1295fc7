import type { ExitName } from './exit-codes.ts'

/** A failure that a command explains: one line that says what to do, and the exit code. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exit: ExitName

  constructor(exit: ExitName, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exit = exit
  }
}

/** Runs what refuses wrong arguments with a TypeError, and takes that as a mistake of the command line. */
export async function asUsage<T>(run: () => T | Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof TypeError) throw new CliError('USAGE', error.message, { cause: error })
    throw error
  }
}
