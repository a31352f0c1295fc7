import type { EmulatedAnswer, EmulatedCall, Emulator } from 'hooklayer/emulator'
import type { ExternalResourceKind } from 'hooklayer/responder'
import { CliError } from '../cli-error.ts'
import { type CommandContext, type DefineCommand, describeExamples } from '../command.ts'
import { writeEnvFile } from '../configuration/env-file.ts'
import { addAskOption, toHolderVariable } from '../configuration/external-resources.ts'
import { addConfigOption } from '../configuration/load-config.ts'
import { addShowSecretsOption, maskSecret } from '../configuration/secrets.ts'
import { type Controls, startControls } from '../dev/controls.ts'
import { type DevDashboard, startDevDashboard } from '../dev/dev-dashboard.ts'
import { type DevFlags, type DevSetup, listVariables, readSetup, toAddress } from '../dev/dev-setup.ts'
import { addEmulatorOptions, isPortInUse, startEmulator, subscribeTopic } from '../dev/emulator-flags.ts'
import { waitForPort } from '../dev/ports.ts'
import { describeAnswer, reportAnswer } from '../dev/report-answer.ts'
import { describeCall, reportCall } from '../dev/report-call.ts'
import { type Child, startChild } from '../dev/start-child.ts'
import type { ExitName } from '../exit-codes.ts'
import { confirmHost, DEFAULT_RECEIVER } from '../receiver/confirm-host.ts'
import { escapeText } from '../terminal/output.ts'

const DEFAULT_PORT = 4000
const DEFAULTS = { port: `${DEFAULT_PORT}, or the next that is free`, forward: DEFAULT_RECEIVER }
/** How many ports are tried. */
const MAX_PORTS = 20
/** After this time without a receiver, a hint is printed. */
const HINT_AFTER_MS = 10_000

export const define: DefineCommand = (command, run) => {
  addShowSecretsOption(addConfigOption(addAskOption(addEmulatorOptions(command, DEFAULTS))))
    .argument('[program...]', 'after --, the receiver to start: npm run dev')
    .option('--write-env <file>', 'writes the variables that a receiver needs, for one that you start yourself')
    .option('--no-dashboard', 'serves no dashboard')
    .option('--yes', 'calls other hosts than this one without a question')
    .passThroughOptions()
    .addHelpText(
      'after',
      describeExamples(
        ['Your receiver too', 'dev --topics orders.place,customers.create -- npm run dev'],
        ['A responder too', 'dev --ask tax=/taxes -- npm run dev'],
        ['You start it, with the variables of a file', 'dev --write-env .env.local'],
      ),
    )
    .action(run(develop))
}

async function develop(
  context: CommandContext,
  flags: DevFlags,
  program: readonly string[],
): Promise<ExitName | number> {
  const setup = await readSetup(flags, program)
  for (const { url } of [setup, ...setup.asked]) await confirmHost(context.output, url, flags)
  const printer = createPrinter(context, setup)
  const emulator = await startOnFreePort(context, flags, printer)
  let child: Child | undefined
  let dashboard: DevDashboard | undefined
  try {
    if (flags.dashboard) dashboard = await startDevDashboard({ emulator, inbox: setup.inbox })
    printer.onCall = dashboard?.addCall
    for (const topic of setup.topics) {
      const options = { includeResources: setup.includes(topic), secret: setup.secrets[topic] }
      subscribeTopic(emulator, topic, setup.url.href, options)
    }
    for (const { kind, url, secret } of setup.asked) addHolder(emulator, kind, url, secret)
    const variables = listVariables(emulator, setup)
    // For a recorder in the receiver. It is of no use to people, and has a token, so it is not printed.
    const forRecorder = dashboard && { HOOKLAYER_RECORDER_URL: dashboard.recorderUrl }
    if (flags.writeEnv !== undefined) writeEnvFile(flags.writeEnv, { ...variables, ...forRecorder })
    describeSetup(context, flags, { ...setup, program, variables, dashboard })
    if (program.length > 0) {
      const env = { PORT: setup.url.port || undefined, ...process.env, ...variables, ...forRecorder }
      child = await startChild(program, { env, json: context.output.json })
    }
    return await serve(context, { setup, emulator, child, program, printer, dashboard })
  } finally {
    await Promise.all([child?.stop(), emulator.close(), dashboard?.close()])
  }
}

/** Prints lines; where a question is on the screen, later. */
interface Printer {
  printCall(call: EmulatedCall): void
  printAnswer(answer: EmulatedAnswer): void
  /** Is told of each call too. */
  onCall: DevDashboard['addCall'] | undefined
  /** Prints what was held back while a question was on the screen. */
  flush(): void
  /** Lines are held back while these ask. */
  controls: Controls | undefined
}

function createPrinter({ output }: CommandContext, { secrets, asked }: DevSetup): Printer {
  let held: (() => void)[] = []
  function printLine(object: object, line: string): void {
    const print = () => output.result(object, line)
    if (printer.controls?.isAsking()) held.push(print)
    else print()
  }
  const printer: Printer = {
    controls: undefined,
    onCall: undefined,
    printCall(call) {
      void reportCall(call, secrets).then((report) => {
        printer.onCall?.(call, report)
        printLine(report, describeCall(report))
      })
    },
    printAnswer(answer) {
      const url = asked.find(({ kind }) => kind === answer.kind)?.url.href ?? ''
      const report = reportAnswer(answer, url)
      printLine(report, describeAnswer(report))
    },
    flush() {
      const lines = held
      held = []
      for (const print of lines) print()
    },
  }
  return printer
}

async function startOnFreePort({ output }: CommandContext, flags: DevFlags, printer: Printer): Promise<Emulator> {
  const first = flags.port ?? DEFAULT_PORT
  const logger = { warn: (message: string) => output.warn(escapeText(message)) }
  for (let port = first; ; port += 1) {
    try {
      return await startEmulator(
        { ...flags, port },
        { logger, onCall: printer.printCall, onAnswer: printer.printAnswer },
      )
    } catch (error) {
      if (!isPortInUse(error) || port - first >= MAX_PORTS) throw error
    }
  }
}

interface Session {
  readonly setup: DevSetup
  readonly emulator: Emulator
  readonly child: Child | undefined
  readonly program: readonly string[]
  readonly printer: Printer
  readonly dashboard: DevDashboard | undefined
}

/** Runs until somebody quits, the command is stopped or the program has ended. */
async function serve(
  { output, signal }: CommandContext,
  { setup, emulator, child, program, printer, dashboard }: Session,
): Promise<ExitName | number> {
  const quit = new AbortController()
  const stop = AbortSignal.any([signal, quit.signal])
  const controls = startControls(
    {
      topics: setup.topics,
      trigger: (topic) => emulator.trigger(topic),
      repeat: () => emulator.repeat(),
      kinds: setup.asked.map(({ kind }) => kind),
      ask: (kind) => askResponder(kind, setup, emulator),
      setFaults: (faults) => emulator.setFaults(faults),
      dashboard: dashboard?.url,
      quit: () => quit.abort(),
    },
    { output, onAnswered: printer.flush },
  )
  printer.controls = controls
  output.info(controls.help)
  void sendFirst(setup, emulator, stop, (hint) => output.info(hint))
  try {
    const code = await Promise.race([
      new Promise<void>((resolve) => onAbort(stop, resolve)),
      ...(child ? [child.ended] : []),
    ])
    if (typeof code !== 'number') return 'OK'
    output.info(`${escapeText(program.join(' '))} has ended with ${code}.`)
    return code
  } finally {
    quit.abort()
    controls.close()
  }
}

/** @throws CliError for a secret that the emulator refuses. */
function addHolder(emulator: Emulator, kind: ExternalResourceKind, url: URL, secret: string): void {
  try {
    emulator.addHolder(kind, url.href, { secret })
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(/^addHolder: /, '') : String(error)
    throw new CliError('CONFIGURATION', `${toHolderVariable(kind)}: ${message}`, { cause: error })
  }
}

/** Asks the responder of a kind. */
async function askResponder(name: string, { asked }: DevSetup, emulator: Emulator): Promise<void> {
  const kinds = asked.map(({ kind }) => kind)
  const found = asked.find(({ kind }) => kind === name)
  if (!found) throw new CliError('USAGE', `It can ask for ${kinds.join(', ') || 'nothing'}: see --ask.`)
  await emulator.ask(found.kind)
}

function onAbort(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act()
  else signal.addEventListener('abort', act, { once: true })
}

/** Triggers the first topic as soon as the receiver listens. */
async function sendFirst(
  { url, topics: [first = ''] }: DevSetup,
  emulator: Emulator,
  signal: AbortSignal,
  hint: (text: string) => void,
): Promise<void> {
  const text = `Nothing listens on ${url.host} yet. Name the receiver's URL with --forward if it is another one.`
  const timer = setTimeout(hint, HINT_AFTER_MS, text)
  const isOpen = await waitForPort(toAddress(url), signal)
  clearTimeout(timer)
  if (isOpen) await emulator.trigger(first)
}

interface DescribedSetup extends Pick<DevSetup, 'url' | 'topics' | 'asked'> {
  readonly program: readonly string[]
  readonly variables: Readonly<Record<string, string>>
  readonly dashboard: DevDashboard | undefined
}

function describeSetup(
  { output }: CommandContext,
  flags: DevFlags,
  { url, topics, asked, program, variables, dashboard }: DescribedSetup,
): void {
  const isSecret = (name: string) => name.includes('SECRET')
  const shown = Object.entries(variables).map(([name, value]) => [
    name,
    isSecret(name) ? maskSecret(value, flags) : value,
  ])
  const { CL_API_URL } = variables
  const found = {
    ...{ type: 'listening', url: CL_API_URL, forward: url.href, topics, variables: Object.fromEntries(shown) },
    dashboard: dashboard?.url,
    ...(asked.length > 0 && { ask: Object.fromEntries(asked.map(({ kind, url }) => [kind, url.href])) }),
  }
  const lines = [
    `A local Commerce Layer listens at ${CL_API_URL} and calls ${url.href}`,
    `Topics: ${topics.join(', ')}`,
    ...asked.map(({ kind, url }) => `Asks for ${kind} at ${url.href}`),
    ...(dashboard ? [`Dashboard: ${dashboard.url}`] : []),
  ]
  output.result(found, lines.join('\n'))
  if (flags.writeEnv !== undefined) {
    output.info(`${flags.writeEnv} has the variables for the receiver: node --env-file=${flags.writeEnv} shop.js`)
  } else if (program.length === 0) {
    output.info(
      'Start the receiver with these variables, or let this command start it: npx hooklayer dev -- npm run dev',
    )
    for (const [name, value] of shown) output.info(`  ${name}=${value}`)
    if (!flags.showSecrets) output.info('--show-secrets prints the secrets, and --write-env .env.local writes them.')
  }
}
