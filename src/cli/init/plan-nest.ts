import { type FrameworkPlan, type Layout, lines } from './layout.ts'
import { SECRETS, toHandlerName, writeDrivers } from './receiver-files.ts'

export function planNest(layout: Layout): FrameworkPlan {
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

function toMethodName(topic: string): string {
  return topic.replace(/[._](\w)/g, (_, letter: string) => letter.toUpperCase())
}
