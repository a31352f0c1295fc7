import { readdirSync } from 'node:fs'

/** `demo` is part of the repository; the others are packages that could stand anywhere. */
export const EXAMPLES: readonly string[] = readdirSync('examples').filter((name) => name !== 'demo')

/** What trying an example out leaves in its folder. */
const BUILT = new Set(['node_modules', 'dist', '.nitro', '.output', '.next', '.wrangler', 'next-env.d.ts'])

/** The files of an example with JavaScript or TypeScript in them. */
export function codeOf(example: string): string[] {
  return filesOf(`examples/${example}`).filter((file) => /\.[jt]s$/.test(file))
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !BUILT.has(name))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      return entry.isDirectory() ? filesOf(path) : [path]
    })
}
