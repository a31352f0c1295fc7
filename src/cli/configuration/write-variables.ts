import { chmod, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { CliError } from '../cli-error.ts'
import { isReplaceable } from './env-file.ts'

/**
 * Sets variables in a file such as `.env`, and leaves its other lines as they are. A new file can be read by its owner
 * only. The file is replaced at once, so nobody reads half of it.
 *
 * A file of `hooklayer dev` is refused, which would take the variables out again.
 */
export async function writeVariables(file: string, variables: Readonly<Record<string, string>>): Promise<void> {
  const target = await orIfMissing(realpath(file), file)
  const before = await orIfMissing(readFile(target, 'utf8'), '')
  if (isReplaceable(before)) {
    throw new CliError('USAGE', `--write-env: ${file} is a file of hooklayer dev, which replaces it. Name another one.`)
  }
  const mode = await orIfMissing(
    stat(target).then((stats) => stats.mode),
    0o600,
  )
  const kept = before === '' ? [] : before.replace(/\n$/, '').split('\n')
  const lines = [
    ...kept.filter((line) => !Object.hasOwn(variables, readName(line))),
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
  ]
  const next = `${target}.${process.pid}.tmp`
  try {
    await writeFile(next, `${lines.join('\n')}\n`, { mode: 0o600, flag: 'wx' })
    await chmod(next, mode)
    await rename(next, target)
  } catch (error) {
    await rm(next, { force: true })
    throw error
  }
}

function readName(line: string): string {
  return /^\s*(?:export\s+)?(\w+)\s*=/.exec(line)?.[1] ?? ''
}

async function orIfMissing<T>(reading: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise
    throw error
  }
}
