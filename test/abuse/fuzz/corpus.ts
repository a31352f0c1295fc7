import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** The inputs that a property has failed for. They are replayed before all others, so none fails a second time. */
export function readCorpus<Input>(name: string): Input[] {
  const file = findFile(name)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
}

/** Adds an input to the corpus, and returns the name of its file, which is to be committed with the mend. */
export function keepInput(name: string, input: unknown): string {
  const file = findFile(name)
  const kept = new Set([...readCorpus(name), input].map((one) => JSON.stringify(one)))
  writeFileSync(file, `[\n${[...kept].map((line) => `  ${line}`).join(',\n')}\n]\n`)
  return file
}

function findFile(name: string): string {
  return `test/abuse/corpus/${name}.json`
}
