import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Option } from 'commander'
import { CliError } from '../cli-error.ts'
import { type CommandContext, type DefineCommand, describeExamples } from '../command.ts'
import { CATALOG, nearestTopic } from '../configuration/catalog.ts'
import { addTopicsOption, readTopics } from '../configuration/topics-option.ts'
import { INBOXES, STORES } from '../init/drivers.ts'
import { type Plan, planFiles } from '../init/files.ts'
import { type Choices, FRAMEWORKS, type Framework } from '../init/layout.ts'
import { type Project, readProject } from '../init/project.ts'
import { type Ask, createAsk } from '../terminal/ask.ts'
import { paint } from '../terminal/output.ts'

interface InitFlags {
  readonly framework?: Framework
  readonly topics?: readonly string[]
  readonly inbox?: string
  readonly store?: string
  readonly install?: boolean
  readonly yes?: boolean
}

const DEFAULT_TOPIC = 'orders.place'
const NONE = 'none'

export const define: DefineCommand = (command, run) => {
  addTopicsOption(command, `the topics to handle; default: ${DEFAULT_TOPIC}`)
    .addOption(new Option('--framework <name>', listChoices(FRAMEWORKS)).choices(Object.keys(FRAMEWORKS)))
    .addOption(
      new Option('--inbox <name>', `where deliveries are stored: ${NONE}, ${listChoices(INBOXES)}`).choices(
        namesOf(INBOXES),
      ),
    )
    .addOption(
      new Option('--store <name>', `where handled events are: ${NONE}, ${listChoices(STORES)}`).choices(
        namesOf(STORES),
      ),
    )
    .option('--install', 'installs the packages, too')
    .option('--yes', 'asks nothing, and takes the defaults for what no flag says')
    .addHelpText(
      'after',
      describeExamples(
        ['With questions', 'init'],
        ['Without', 'init --yes --framework express --topics orders.place,customers.create --inbox sqlite'],
      ),
    )
    .action(
      run(async (context, flags: InitFlags) => {
        const project = readProject()
        const choices = await choose(createAsk(context.output, flags), flags, project)
        const plan = planFiles(choices, project)
        writeAll(plan.files)
        if (flags.install) await install(context, plan, project)
        report(context, plan, project, flags)
      }),
    )
}

function listChoices(choices: Readonly<Record<string, string | { readonly summary: string }>>): string {
  return Object.entries(choices)
    .map(([name, what]) => `${name} (${typeof what === 'string' ? what : what.summary})`)
    .join(', ')
}

function namesOf(drivers: object): string[] {
  return [NONE, ...Object.keys(drivers)]
}

/** Flags come first, then questions, and with `--yes` the defaults. */
async function choose(ask: Ask, flags: InitFlags, project: Project): Promise<Choices> {
  const framework = flags.framework ?? (await chooseFramework(ask, flags, project))
  const topics = checkTopics(flags.topics ?? (await chooseTopics(ask, flags)))
  const inbox = flags.inbox ?? (await chooseDriver(ask, flags, 'inbox', INBOXES))
  const store = flags.store ?? (await chooseDriver(ask, flags, 'store', STORES))
  if (framework === 'lambda' && [INBOXES[inbox], STORES[store]].some((driver) => driver?.needsDisk)) {
    throw new CliError('USAGE', 'A Lambda has no disk that stays: choose redis or postgres, or none.')
  }
  return { framework, topics, inbox, store }
}

const DETECTED: readonly (readonly [name: string, framework: Framework])[] = [
  ['next', 'next'],
  ['@nestjs/core', 'nest'],
  ['express', 'express'],
]

async function chooseFramework(ask: Ask, { yes }: InitFlags, { packages }: Project): Promise<Framework> {
  const detected = DETECTED.find(([name]) => packages.has(name))?.[1]
  if (yes && detected) return detected
  if (yes) throw new CliError('USAGE', 'Which framework? package.json has none of them: answer with --framework.')
  const all = Object.entries(FRAMEWORKS).map(([value, label]) => ({ value, label }))
  const choices = all.sort((a, b) => Number(b.value === detected) - Number(a.value === detected))
  const question = { message: 'Which framework?', flag: '--framework', choices }
  return (await ask.select(question)) as Framework
}

async function chooseTopics(ask: Ask, { yes }: InitFlags): Promise<string[]> {
  if (yes) return [DEFAULT_TOPIC]
  const message = 'Which topics? Separate them by commas.'
  return readTopics(await ask.text({ message, flag: '--topics', placeholder: DEFAULT_TOPIC, fallback: DEFAULT_TOPIC }))
}

const QUESTIONS = {
  inbox: 'An inbox stores deliveries, so that slow work can be done after the answer. Which one?',
  store: 'A store remembers handled events, so that copies do nothing. Which one?',
} as const

async function chooseDriver(
  ask: Ask,
  { yes }: InitFlags,
  kind: keyof typeof QUESTIONS,
  drivers: typeof INBOXES,
): Promise<string> {
  if (yes) return NONE
  const choices = [
    { value: NONE, hint: 'it can be added later' },
    ...Object.entries(drivers).map(([value, { summary }]) => ({ value, hint: summary })),
  ]
  return ask.select({ message: QUESTIONS[kind], flag: `--${kind}`, choices })
}

/** A handler is written for each, so a topic that is not known is a mistake. */
function checkTopics(topics: readonly string[]): readonly string[] {
  for (const topic of topics) {
    if (!CATALOG.includes(topic)) {
      throw new CliError(
        'USAGE',
        `--topics: Commerce Layer has no topic ${topic}. One is ${nearestTopic(topic) ?? DEFAULT_TOPIC}.`,
      )
    }
  }
  return topics
}

/** Writes all or nothing: a file that is there already is never changed. */
function writeAll(files: Readonly<Record<string, string>>): void {
  const present = Object.keys(files).filter((path) => existsSync(path))
  if (present.length > 0) {
    throw new CliError('USAGE', `Nothing was written, because there is already: ${present.join(', ')}`)
  }
  const written: string[] = []
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text, { flag: 'wx' })
      written.push(path)
    }
  } catch (error) {
    for (const path of written) rmSync(path, { force: true })
    throw error
  }
}

const ADD = { npm: 'npm install', pnpm: 'pnpm add', yarn: 'yarn add', bun: 'bun add' } as const
const DEV = { npm: '--save-dev', pnpm: '--save-dev', yarn: '--dev', bun: '--dev' } as const

function listInstalls({ packages, devPackages }: Plan, { manager }: Project): string[] {
  return [
    ...(packages.length > 0 ? [`${ADD[manager]} ${packages.join(' ')}`] : []),
    ...(devPackages.length > 0 ? [`${ADD[manager]} ${DEV[manager]} ${devPackages.join(' ')}`] : []),
  ]
}

async function install({ output, signal }: CommandContext, plan: Plan, project: Project): Promise<void> {
  for (const line of listInstalls(plan, project)) {
    output.info(`$ ${line}`)
    const [program = '', ...args] = line.split(' ')
    const child = spawn(program, args, { stdio: ['ignore', output.json ? 'ignore' : 2, 2], signal })
    const [code] = await once(child, 'close')
    if (code !== 0) throw new CliError('FOUND_WRONG', `The files are written, but this has failed: ${line}`)
  }
}

function report({ output }: CommandContext, plan: Plan, project: Project, flags: InitFlags): void {
  const files = Object.keys(plan.files)
  const installs = flags.install ? [] : listInstalls(plan, project)
  const dev = plan.start === undefined ? [] : [`npx hooklayer dev -- ${plan.start}`]
  const next = [...installs.slice(0, 1).map(() => installs.join(' && ')), plan.test, ...dev]
  const text = [
    ...files.map((path) => `${paint('green', '+')} ${path}`),
    ...plan.toDo.map((line) => `\n${line}`),
    '\nNext:',
    ...next.map((line) => `  ${line}`),
  ]
  output.result({ files, toDo: plan.toDo, next }, text.join('\n'))
}
