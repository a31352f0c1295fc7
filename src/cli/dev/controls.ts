import { createInterface, emitKeypressEvents, type Key } from 'node:readline'
import type { Faults } from 'hooklayer/emulator'
import { CliError } from '../cli-error.ts'
import { type Ask, createAsk } from '../terminal/ask.ts'
import { escapeText, type Output } from '../terminal/output.ts'
import { FAULT_NAMES, toFaults } from './faults.ts'

/** What a person can do while the command runs. */
export interface Actions {
  readonly topics: readonly string[]
  trigger(topic: string): Promise<unknown>
  repeat(): Promise<unknown>
  /** What can be asked. */
  readonly kinds: readonly string[]
  ask(kind: string): Promise<unknown>
  setFaults(faults: Faults): void
  /** Its address, which is printed again. */
  readonly dashboard: string | undefined
  quit(): void
}

export interface Controls {
  readonly help: string
  /** Whether a question is on the screen. */
  readonly isAsking: () => boolean
  close(): void
}

interface ControlsOptions {
  readonly output: Output
  /** Is called when a question has been answered. */
  readonly onAnswered: () => void
}

const NO_FAULT = 'none'

/** Takes keys in a terminal, and else lines of stdin. */
export function startControls(actions: Actions, options: ControlsOptions): Controls {
  const ask = createAsk(options.output, {})
  return ask.canAsk ? takeKeys(actions, ask, options) : takeLines(actions, options)
}

function takeKeys(actions: Actions, ask: Ask, { output, onAnswered }: ControlsOptions): Controls {
  const { stdin } = process
  let isAsking = false
  const question = async (askAndAct: () => Promise<void>) => {
    isAsking = true
    await askAndAct().catch((error) => {
      if (!(error instanceof CliError)) throw error // Nothing was chosen.
    })
    isAsking = false
    stdin.setRawMode(true)
    stdin.resume()
    onAnswered()
  }
  const onKey = (_text: string, { ctrl, name }: Key) => {
    if (isAsking) return
    if (ctrl && name === 'c')
      process.kill(process.pid, 'SIGINT') // A raw terminal sends no signal.
    else if (name === 't') void question(() => askForTopic(actions, ask))
    else if (name === 'r') void actions.repeat()
    else if (name === 'a' && actions.kinds.length > 0) void question(() => askForKind(actions, ask))
    else if (name === 'f') void question(() => askForFault(actions, ask, output))
    else if (name === 'd') printDashboard(actions, output)
    else if (name === 'q') actions.quit()
  }
  emitKeypressEvents(stdin)
  stdin.setRawMode(true)
  stdin.on('keypress', onKey)
  stdin.resume()
  return {
    help: [
      't trigger · r repeat the last',
      ...(actions.kinds.length > 0 ? ['a ask'] : []),
      'f faults',
      ...(actions.dashboard ? ['d dashboard'] : []),
      'q quit',
    ].join(' · '),
    isAsking: () => isAsking,
    close() {
      stdin.off('keypress', onKey)
      stdin.setRawMode(false)
      stdin.pause()
      if (isAsking) process.stderr.write('\u001b[?25h') // A question hides the cursor.
    },
  }
}

async function askForTopic({ topics, trigger }: Actions, ask: Ask): Promise<void> {
  const [first = '', ...others] = topics
  const choices = topics.map((value) => ({ value }))
  const topic = others.length === 0 ? first : await ask.search({ message: 'Which topic?', flag: '--topics', choices })
  void trigger(topic) // Its line is printed when the answer has come.
}

async function askForKind({ kinds, ask: askResponder }: Actions, ask: Ask): Promise<void> {
  const [first = '', ...others] = kinds
  const choices = kinds.map((value) => ({ value }))
  const kind = others.length === 0 ? first : await ask.select({ message: 'Ask for what?', flag: '--ask', choices })
  void askResponder(kind) // Its line is printed when the answer has come.
}

async function askForFault({ setFaults }: Actions, ask: Ask, output: Output): Promise<void> {
  const choices = [NO_FAULT, ...FAULT_NAMES].map((value) => ({ value }))
  const name = await ask.select({ message: 'Which fault shall each delivery have?', flag: '--faults', choices })
  changeFaults(setFaults, name, output)
}

function changeFaults(setFaults: Actions['setFaults'], text: string, output: Output): void {
  setFaults(text === NO_FAULT ? {} : toFaults(text))
  output.info(`Faults from now on: ${text}`)
}

function printDashboard({ dashboard }: Actions, output: Output): void {
  output.info(
    dashboard === undefined ? 'There is no dashboard: --no-dashboard has left it out.' : `Dashboard: ${dashboard}`,
  )
}

/**
 * A line is a topic; `a tax` asks, `r` repeats the last, `f duplicate` sets a fault, `d` prints the address, `q` quits.
 */
function takeLines(actions: Actions, { output }: ControlsOptions): Controls {
  const { trigger, repeat, kinds, ask, setFaults, quit } = actions
  const lines = createInterface({ input: process.stdin })
  lines.on('line', async (line) => {
    const [word = '', given] = line.trim().split(/\s+/)
    const argument = given ?? NO_FAULT
    try {
      if (word === 'q') quit()
      else if (word === 'r') await repeat()
      else if (word === 'a') await ask(given ?? kinds[0] ?? '')
      else if (word === 'f') changeFaults(setFaults, argument, output)
      else if (word === 'd') printDashboard(actions, output)
      else if (word !== '') await trigger(word)
    } catch (error) {
      output.warn(escapeText(error instanceof Error ? error.message : String(error)))
    }
  })
  return {
    help: [
      'Type a topic and Enter to trigger it; r repeats the last',
      ...(kinds.length > 0 ? [`a ${kinds[0]} asks`] : []),
      'f duplicate sets a fault, d prints the address of the dashboard, q quits.',
    ].join(', '),
    isAsking: () => false,
    close: () => lines.close(),
  }
}
