import { CliError } from '../cli-error.ts'
import type { OutputOptions } from './output.ts'

interface Question {
  readonly message: string
  /** The flag that answers it, for where nobody can be asked: `--yes`, `--framework <name>`. */
  readonly flag: string
}

interface Choice {
  readonly value: string
  readonly label?: string
  readonly hint?: string
}

export interface Ask {
  /** Whether somebody can be asked: in a terminal, without `--json` and `--yes`. */
  readonly canAsk: boolean
  /** `true` at once with `--yes`. */
  confirm(question: Question): Promise<boolean>
  select(question: Question & { readonly choices: readonly Choice[] }): Promise<string>
  /** The same with a filter that is typed, for many choices. */
  search(question: Question & { readonly choices: readonly Choice[] }): Promise<string>
  selectMany(question: Question & { readonly choices: readonly Choice[] }): Promise<string[]>
  text(question: Question & { readonly placeholder?: string; readonly fallback?: string }): Promise<string>
}

/**
 * Asks in a terminal. Where nobody can be asked, an unanswered question is a mistake of the command line, and the
 * message names the flag that answers it.
 */
export function createAsk({ json }: OutputOptions, { yes = false }: { readonly yes?: boolean }): Ask {
  const canAsk = !json && !yes && process.stdin.isTTY === true && process.stderr.isTTY === true
  const loadPrompts = async ({ message, flag }: Question) => {
    if (canAsk) return import('@clack/prompts')
    throw new CliError('USAGE', `${message} Nobody can be asked here: answer with ${flag}.`)
  }
  return {
    canAsk,
    async confirm(question) {
      if (yes) return true
      const { confirm } = await loadPrompts(question)
      return toAnswer(await confirm({ message: question.message, initialValue: false, output: process.stderr }))
    },
    async select(question) {
      const { select } = await loadPrompts(question)
      const options = question.choices.map((choice) => ({ ...choice }))
      return toAnswer(await select<string>({ message: question.message, options, output: process.stderr }))
    },
    async search(question) {
      const { autocomplete } = await loadPrompts(question)
      const options = question.choices.map((choice) => ({ ...choice }))
      const { message } = question
      return toAnswer(await autocomplete<string>({ message, options, maxItems: 10, output: process.stderr }))
    },
    async selectMany(question) {
      const { multiselect } = await loadPrompts(question)
      const options = question.choices.map((choice) => ({ ...choice }))
      return toAnswer(await multiselect<string>({ message: question.message, options, output: process.stderr }))
    },
    async text(question) {
      const { text } = await loadPrompts(question)
      const { message, placeholder = '', fallback = '' } = question
      return toAnswer(await text({ message, placeholder, defaultValue: fallback, output: process.stderr }))
    },
  }
}

/**
 * Asks before something is done that cannot be undone.
 *
 * @param otherwise what is said when the answer is no. The command ends then.
 */
export async function confirmOrStop(
  output: OutputOptions,
  flags: { readonly yes?: boolean },
  message: string,
  otherwise: string,
): Promise<void> {
  const isConfirmed = await createAsk(output, flags).confirm({ message, flag: '--yes' })
  if (!isConfirmed) throw new CliError('INTERRUPTED', otherwise)
}

/** The library gives a symbol for Ctrl-C, which it takes from the terminal. */
function toAnswer<T>(answer: T): Exclude<T, symbol> {
  if (typeof answer === 'symbol') throw new CliError('INTERRUPTED', 'Interrupted.')
  return answer as Exclude<T, symbol>
}
