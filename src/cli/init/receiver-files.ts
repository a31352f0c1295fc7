import { INBOXES, STORES } from './drivers.ts'
import { type Choices, type Layout, lines } from './layout.ts'

/** A function, because the file is also loaded where there are no secrets: by a build, or before there are webhooks. */
export const SECRETS = 'secrets: (topic) => secretsFromEnv()[topic]'

/** The inbox and the store, as code and as options of a receiver. */
export function writeDrivers({ inbox, store }: Choices) {
  const [inboxDriver, storeDriver] = [INBOXES[inbox], STORES[store]]
  return {
    imports: [...(inboxDriver?.imports ?? []), ...(storeDriver?.imports ?? [])],
    code: [...(inboxDriver?.code ?? []), ...(storeDriver?.code ?? [])],
    options: [...(inboxDriver ? ['inbox'] : []), ...(storeDriver ? ['idempotency: { store }'] : [])],
  }
}

/** The receiver, its handlers, and its worker where there is an inbox. */
export function writeReceiver(layout: Layout): Record<string, string> {
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

/** What to do where there is an inbox. */
export function listWorkers({ inbox, root }: Layout): string[] {
  return inbox === 'none'
    ? []
    : [`The handlers run in the worker of the inbox. Start it beside the app: npx tsx ${root}webhooks/worker.ts`]
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

/** A name of its own keeps what a store remembers when the handler is moved. */
export function toHandlerName(topic: string): string {
  return topic.replace(/[._]/g, '-')
}
