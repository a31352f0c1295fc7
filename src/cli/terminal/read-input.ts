import { readFile } from 'node:fs/promises'
import { addAbortSignal } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { CliError } from '../cli-error.ts'

/**
 * Reads the whole of stdin.
 *
 * @param flag what to use instead, for the message where stdin is a terminal.
 */
export async function readStdin(flag: string, signal: AbortSignal): Promise<Uint8Array> {
  if (process.stdin.isTTY) throw new CliError('USAGE', `Use ${flag}, or pipe it in.`)
  return buffer(addAbortSignal(signal, process.stdin))
}

/** Reads the file that a flag names. */
export async function readInputFile(file: string, flag: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'EISDIR') throw error
    throw new CliError('USAGE', `${flag}: there is no file ${file}.`, { cause: error })
  }
}
