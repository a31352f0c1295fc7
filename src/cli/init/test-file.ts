import { type Layout, lines } from './layout.ts'
import type { Project } from './project.ts'

/** A test that gives a delivery of each topic to the handlers. */
export function writeTest(layout: Layout, file: string): string {
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
