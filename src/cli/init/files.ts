import { toVariable } from '../configuration/secrets.ts'
import { INBOXES, STORES } from './drivers.ts'
import { type Choices, type Framework, type FrameworkPlan, type Layout, lines } from './layout.ts'
import { planExpress } from './plan-express.ts'
import { planLambda } from './plan-lambda.ts'
import { planNest } from './plan-nest.ts'
import { planNext } from './plan-next.ts'
import type { Project } from './project.ts'
import { writeTest } from './test-file.ts'

/** What `init` writes and says. */
export interface Plan {
  /** Texts by path. */
  readonly files: Readonly<Record<string, string>>
  readonly packages: readonly string[]
  readonly devPackages: readonly string[]
  /** What to change in files that are there already. */
  readonly toDo: readonly string[]
  /** The command that runs the test. */
  readonly test: string
  /** The command that starts the shop; `undefined` where the project has its own. */
  readonly start: string | undefined
}

const PLANS: Readonly<Record<Framework, (layout: Layout) => FrameworkPlan>> = {
  express: planExpress,
  next: planNext,
  nest: planNest,
  lambda: planLambda,
}

/** Makes the files that every project gets, and adds those of its framework. */
export function planFiles(choices: Choices, project: Project): Plan {
  const { framework } = choices
  const hasRoot = framework !== 'next' || project.has('src')
  const ending = framework === 'next' || framework === 'nest' || project.testRunner === 'jest' ? '' : '.js'
  const layout = { ...choices, project, root: hasRoot ? 'src/' : '', ending } as const
  const own = PLANS[framework](layout)
  const drivers = [INBOXES[choices.inbox], STORES[choices.store]].flatMap((driver) => driver ?? [])
  const files = {
    ...own.files,
    [own.testFile]: writeTest(layout, own.testFile),
    'hooklayer.config.ts': own.config ?? writeConfig(layout),
    '.env.example': lines(
      '# The shared secret of each webhook. `npx hooklayer dev` sets them by itself.',
      ...choices.topics.map((topic) => `${toVariable(topic)}=`),
      ...[...new Set(drivers.map(({ env }) => env))].flatMap((env) => ['', ...env]),
    ),
  }
  const packages = ['hooklayer', '@commercelayer/sdk', ...own.packages, ...drivers.flatMap((driver) => driver.packages)]
  const isMissing = (name: string) => !project.packages.has(name)
  return {
    files,
    packages: [...new Set(packages)].filter(isMissing),
    devPackages: [...new Set([...(project.testRunner === 'node' ? ['tsx'] : []), ...own.devPackages])].filter(
      isMissing,
    ),
    toDo: own.toDo,
    test: TEST_COMMANDS[project.testRunner](own.testFile),
    start: own.start,
  }
}

const TEST_COMMANDS: Readonly<Record<Project['testRunner'], (file: string) => string>> = {
  vitest: (file) => `npx vitest run ${file}`,
  jest: (file) => `npx jest ${file}`,
  node: (file) => `npx tsx --test ${file}`,
}

function writeConfig({ root, inbox }: Layout): string {
  return lines(
    "import { defineConfig } from 'hooklayer/config'",
    `import { ${inbox === 'none' ? '' : 'inbox, '}receiver } from './${root}webhooks/receiver'`,
    '',
    'export default defineConfig({',
    '  receiver,',
    ...(inbox === 'none' ? [] : ['  inbox,']),
    "  // callbackUrl: 'https://shop.example/webhooks', // the public URL, for `hooklayer webhooks`",
    '})',
  )
}
