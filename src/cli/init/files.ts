import { toVariable } from '../configuration/secrets.ts'
import { INBOXES, STORES } from './drivers.ts'
import type { Project } from './project.ts'

/** What `init` was told. */
export interface Choices {
  readonly framework: Framework
  readonly topics: readonly string[]
  /** The name of a driver, or `none`. */
  readonly inbox: string
  readonly store: string
}

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

export const FRAMEWORKS = {
  express: 'Express 4 or 5',
  next: 'Next.js, App Router',
  nest: 'NestJS 10 to 12',
  lambda: 'AWS Lambda: function URL, API Gateway or a load balancer',
} as const

export type Framework = keyof typeof FRAMEWORKS

/** Where the files of a project go, and how they are written. */
interface Layout extends Choices {
  readonly project: Project
  /** `src/` or nothing. */
  readonly root: string
  /** The ending of relative imports: none where a bundler or CommonJS looks for the file. */
  readonly ending: '.js' | ''
}

const ENTRIES = ['server', 'app', 'index', 'main'].flatMap((name) =>
  ['ts', 'mts', 'js', 'mjs'].flatMap((extension) => [`${name}.${extension}`, `src/${name}.${extension}`]),
)

/** Makes all files of a project. They are written from here and from nowhere else. */
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

interface FrameworkPlan {
  readonly files: Readonly<Record<string, string>>
  readonly testFile: string
  /** Default: one that imports the receiver. */
  readonly config?: string
  readonly packages: readonly string[]
  readonly devPackages: readonly string[]
  readonly toDo: readonly string[]
  readonly start: string | undefined
}

const PLANS: Readonly<Record<Framework, (layout: Layout) => FrameworkPlan>> = {
  express: planExpress,
  next: planNext,
  nest: planNest,
  lambda: planLambda,
}

function planExpress(layout: Layout): FrameworkPlan {
  const isEmpty = !ENTRIES.some((path) => layout.project.has(path))
  return {
    files: {
      ...writeReceiver(layout),
      'src/webhooks/route.ts': lines(
        "import { createExpressMiddleware } from 'hooklayer/express'",
        `import { receiver } from './receiver${layout.ending}'`,
        '',
        '/** Mount it above every body parser, because the signature covers the bytes: `app.use("/webhooks", webhooks)`. */',
        'export const webhooks = createExpressMiddleware(receiver)',
      ),
      ...(isEmpty && { 'src/server.ts': writeExpressServer(layout) }),
    },
    testFile: 'test/webhooks.test.ts',
    packages: ['express'],
    devPackages: ['@types/express', ...(isEmpty ? ['tsx'] : [])],
    toDo: [
      ...(isEmpty
        ? []
        : ["In your app, above every body parser: app.use('/webhooks', webhooks) of src/webhooks/route.ts."]),
      ...listWorkers(layout),
    ],
    start: isEmpty ? 'npx tsx src/server.ts' : undefined,
  }
}

function writeExpressServer({ ending }: Layout): string {
  return lines(
    "import express from 'express'",
    `import { receiver } from './webhooks/receiver${ending}'`,
    `import { webhooks } from './webhooks/route${ending}'`,
    '',
    'const app = express()',
    "app.use('/webhooks', webhooks) // above every body parser",
    'app.use(express.json())',
    'const port = process.env.PORT ?? 3000',
    `const server = app.listen(port, () => console.log(\`Listening on port \${port}\`))`,
    '',
    "process.once('SIGTERM', () => server.close(() => receiver.close()))",
  )
}

function planNext(layout: Layout): FrameworkPlan {
  const { root } = layout
  return {
    files: {
      ...writeReceiver(layout),
      [`${root}app/webhooks/route.ts`]: lines(
        "import { createRouteHandler } from 'hooklayer/next'",
        "import { receiver } from '../../webhooks/receiver'",
        '',
        'export const POST = createRouteHandler(receiver)',
      ),
    },
    testFile: 'test/webhooks.test.ts',
    packages: ['next', 'react', 'react-dom'],
    devPackages: ['typescript', '@types/node', '@types/react'],
    toDo: listWorkers(layout),
    start: 'npx next dev',
  }
}

function planLambda(layout: Layout): FrameworkPlan {
  return {
    files: {
      ...writeReceiver(layout),
      'src/webhooks/lambda.ts': lines(
        "import { createLambdaHandler } from 'hooklayer/lambda'",
        `import { receiver } from './receiver${layout.ending}'`,
        '',
        '/** The time-out of the function must be 5 seconds or more: the default of 3 ends before the deadline. */',
        'export const handler = createLambdaHandler(receiver)',
      ),
    },
    testFile: 'test/webhooks.test.ts',
    packages: [],
    devPackages: [],
    toDo: [
      'Deploy src/webhooks/lambda.ts with the handler `handler`, the variables of .env.example and a time-out of 5 s.',
    ],
    start: undefined,
  }
}

function planNest(layout: Layout): FrameworkPlan {
  const { project, inbox } = layout
  const isEmpty = !project.has('src/main.ts')
  return {
    files: {
      'src/webhooks/webhook-handlers.ts': writeNestHandlers(layout),
      'src/webhooks/webhooks.module.ts': writeNestModule(layout),
      ...(isEmpty && NEST_APPLICATION),
      ...(!project.has('tsconfig.json') && { 'tsconfig.json': NEST_TSCONFIG }),
    },
    testFile: project.testRunner === 'jest' ? 'src/webhooks/webhooks.spec.ts' : 'test/webhooks.test.ts',
    config: NEST_CONFIG,
    packages: ['@nestjs/common', '@nestjs/core', '@nestjs/platform-express', 'reflect-metadata', 'rxjs'],
    devPackages: isEmpty ? ['tsx'] : [],
    toDo: [
      ...(isEmpty ? [] : ['Add WebhooksModule of src/webhooks/webhooks.module.ts to `imports` of src/app.module.ts.']),
      ...(isEmpty || inbox === 'none' ? [] : ['Call app.enableShutdownHooks() in src/main.ts.']),
    ],
    start: isEmpty ? 'npx tsx src/main.ts' : 'npx nest start',
  }
}

const NEST_APPLICATION = {
  'src/app.module.ts': lines(
    "import { Module } from '@nestjs/common'",
    "import { WebhooksModule } from './webhooks/webhooks.module'",
    '',
    '@Module({ imports: [WebhooksModule] })',
    'export class AppModule {}',
  ),
  'src/main.ts': lines(
    "import 'reflect-metadata'",
    "import { NestFactory } from '@nestjs/core'",
    "import { AppModule } from './app.module'",
    '',
    'async function bootstrap() {',
    '  const app = await NestFactory.create(AppModule)',
    '  app.enableShutdownHooks()',
    '  await app.listen(process.env.PORT ?? 3000)',
    '}',
    'void bootstrap()',
  ),
}

const NEST_TSCONFIG = lines(
  '{',
  '  "compilerOptions": {',
  '    "module": "nodenext",',
  '    "moduleResolution": "nodenext",',
  '    "target": "ES2022",',
  '    "esModuleInterop": true,',
  '    "emitDecoratorMetadata": true,',
  '    "experimentalDecorators": true,',
  '    "strict": true,',
  '    "skipLibCheck": true,',
  '    "outDir": "./dist"',
  '  },',
  '  "include": ["src", "test"]',
  '}',
)

const NEST_CONFIG = lines(
  "import 'reflect-metadata'",
  "import { NestFactory } from '@nestjs/core'",
  "import { defineConfig } from 'hooklayer/config'",
  "import { HooklayerService } from 'hooklayer/nestjs'",
  "import { WebhooksModule } from './src/webhooks/webhooks.module'",
  '',
  '// A context has the handlers of the application, and no server.',
  'const app = await NestFactory.createApplicationContext(WebhooksModule, { logger: false })',
  '',
  'export default defineConfig({',
  '  receiver: app.get(HooklayerService).receiver,',
  "  forward: 'http://127.0.0.1:3000/webhooks',",
  '})',
)

function writeNestHandlers({ topics }: Layout): string {
  return lines(
    "import { Injectable, Logger } from '@nestjs/common'",
    "import type { WebhookEvent } from 'hooklayer'",
    "import { OnWebhook } from 'hooklayer/nestjs'",
    '',
    '@Injectable()',
    'export class WebhookHandlers {',
    '  private readonly logger = new Logger(WebhookHandlers.name)',
    ...topics.flatMap((topic) => [
      '',
      `  @OnWebhook('${topic}', { name: '${toHandlerName(topic)}' })`,
      `  ${toMethodName(topic)}({ topic, resource }: WebhookEvent<'${topic}'>) {`,
      `    this.logger.log(\`\${topic}: \${resource.id}\`)`,
      '  }',
    ]),
    '}',
  )
}

function writeNestModule(layout: Layout): string {
  const { inbox, store } = layout
  const { imports, code, options } = writeDrivers(layout)
  const worker = inbox === 'none' ? [] : ['        worker: true,']
  return lines(
    "import { Module } from '@nestjs/common'",
    "import { secretsFromEnv } from 'hooklayer'",
    ...imports.filter((line) => line.includes('hooklayer/inboxes')),
    "import { HooklayerModule } from 'hooklayer/nestjs'",
    ...imports.filter((line) => !line.includes('hooklayer/inboxes')),
    "import { WebhookHandlers } from './webhook-handlers'",
    '',
    ...(inbox === 'none' && store === 'none' ? [] : [...code, '']),
    '@Module({',
    '  imports: [',
    '    HooklayerModule.forRootAsync({',
    '      useFactory: () => ({',
    `        ${SECRETS},`,
    ...options.map((option) => `        ${option},`),
    ...worker,
    '      }),',
    '    }),',
    '  ],',
    '  providers: [WebhookHandlers],',
    '})',
    'export class WebhooksModule {}',
  )
}

/** A function, because the file is also loaded where there are no secrets: by a build, or before there are webhooks. */
const SECRETS = 'secrets: (topic) => secretsFromEnv()[topic]'

function writeDrivers({ inbox, store }: Choices) {
  const [inboxDriver, storeDriver] = [INBOXES[inbox], STORES[store]]
  return {
    imports: [...(inboxDriver?.imports ?? []), ...(storeDriver?.imports ?? [])],
    code: [...(inboxDriver?.code ?? []), ...(storeDriver?.code ?? [])],
    options: [...(inboxDriver ? ['inbox'] : []), ...(storeDriver ? ['idempotency: { store }'] : [])],
  }
}

/** The receiver, its handlers, and its worker where there is an inbox. */
function writeReceiver(layout: Layout): Record<string, string> {
  const { topics, root, ending, inbox } = layout
  const { imports, code, options } = writeDrivers(layout)
  return {
    [`${root}webhooks/handlers.ts`]: lines(
      "import type { Receiver } from 'hooklayer'",
      '',
      '/** The test gives these to a receiver of its own. */',
      'export function addHandlers(receiver: Receiver): void {',
      ...topics.flatMap((topic, i) => [
        ...(i > 0 ? [''] : []),
        `  receiver.on('${topic}', { name: '${toHandlerName(topic)}' }, async ({ topic, resource }) => {`,
        `    console.log(\`\${topic}: \${resource.id}\`)`,
        '  })',
      ]),
      '}',
    ),
    [`${root}webhooks/receiver.ts`]: lines(
      "import { createReceiver, secretsFromEnv } from 'hooklayer'",
      ...imports,
      `import { addHandlers } from './handlers${ending}'`,
      '',
      ...(code.length > 0 ? [...code, ''] : []),
      '// A function, because this file is also loaded without secrets: by a build, and before there are webhooks.',
      'export const receiver = createReceiver({',
      ...[SECRETS, ...options].map((option) => `  ${option},`),
      '})',
      '',
      'addHandlers(receiver)',
    ),
    ...(inbox !== 'none' && { [`${root}webhooks/worker.ts`]: writeWorker(layout) }),
  }
}

function listWorkers({ inbox, root }: Layout): string[] {
  return inbox === 'none'
    ? []
    : [`Run the worker of the inbox in a process of its own: npx tsx ${root}webhooks/worker.ts`]
}

function writeWorker({ root, ending }: Layout): string {
  return lines(
    `// Handles what the inbox has stored: npx tsx ${root}webhooks/worker.ts`,
    "import { createWorker } from 'hooklayer'",
    `import { inbox, receiver } from './receiver${ending}'`,
    '',
    'const worker = createWorker({ receiver, inbox })',
    '',
    "process.once('SIGTERM', async () => {",
    '  await worker.stop({ timeoutMs: 20_000 })',
    '  await receiver.close()',
    '  await inbox.close()',
    '})',
  )
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
    "  forward: 'http://127.0.0.1:3000/webhooks',",
    '})',
  )
}

function writeTest(layout: Layout, file: string): string {
  const { topics, framework, project, root, ending } = layout
  const [topic = ''] = topics
  const fromTest = file.startsWith('test/') ? `../${root}webhooks` : '.'
  const { imports, equal } = ASSERTIONS[project.testRunner]
  const setUp = framework === 'nest' ? writeNestSetUp(fromTest) : writeSetUp(`${fromTest}/handlers${ending}`)
  const list = topics.map((one) => `'${one}'`).join(', ')
  return lines(
    ...imports,
    ...setUp,
    '',
    `for (const topic of [${list}] as const) {`,
    `  test(\`handles \${topic}\`, async () => {`,
    '    const receiver = await createTestReceiver()',
    '    const { status, body } = await receiver.receive(await createDelivery(topic))',
    `    ${equal('[status, body]', `[200, '{"outcome":"handled"}']`)}`,
    '  })',
    '}',
    '',
    "test('refuses a forged delivery', async () => {",
    '  const receiver = await createTestReceiver()',
    `  const forged = await createDelivery('${topic}', { secret: 'of somebody else' })`,
    `  ${equal('(await receiver.receive(forged)).status', '401')}`,
    '})',
  )
}

interface Assertions {
  readonly imports: readonly string[]
  equal(value: string, expected: string): string
}

const expectEqual: Assertions['equal'] = (value, expected) => `expect(${value}).toEqual(${expected})`

const ASSERTIONS: Readonly<Record<Project['testRunner'], Assertions>> = {
  node: {
    imports: ["import assert from 'node:assert/strict'", "import { test } from 'node:test'"],
    equal: (value, expected) => `assert.deepEqual(${value}, ${expected})`,
  },
  vitest: { imports: ["import { expect, test } from 'vitest'"], equal: expectEqual },
  jest: { imports: [], equal: expectEqual },
}

function writeSetUp(handlers: string): string[] {
  return [
    "import { createReceiver, type Receiver } from 'hooklayer'",
    "import { createDelivery, TEST_SECRET } from 'hooklayer/testing'",
    `import { addHandlers } from '${handlers}'`,
    '',
    'async function createTestReceiver(): Promise<Receiver> {',
    '  const receiver = createReceiver({ secrets: TEST_SECRET })',
    '  addHandlers(receiver)',
    '  return receiver',
    '}',
  ]
}

function writeNestSetUp(folder: string): string[] {
  return [
    "import 'reflect-metadata'",
    "import { Module } from '@nestjs/common'",
    "import { NestFactory } from '@nestjs/core'",
    "import type { Receiver } from 'hooklayer'",
    "import { HooklayerModule, HooklayerService } from 'hooklayer/nestjs'",
    "import { createDelivery, TEST_SECRET } from 'hooklayer/testing'",
    `import { WebhookHandlers } from '${folder}/webhook-handlers'`,
    '',
    '@Module({ imports: [HooklayerModule.forRoot({ secrets: TEST_SECRET })], providers: [WebhookHandlers] })',
    'class TestModule {}',
    '',
    'async function createTestReceiver(): Promise<Receiver> {',
    '  const app = await NestFactory.createApplicationContext(TestModule, { logger: false })',
    '  return app.get(HooklayerService).receiver',
    '}',
  ]
}

/** A name of its own keeps what a store remembers when the handler is moved. */
function toHandlerName(topic: string): string {
  return topic.replace(/[._]/g, '-')
}

function toMethodName(topic: string): string {
  return topic.replace(/[._](\w)/g, (_, letter: string) => letter.toUpperCase())
}

function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`
}
