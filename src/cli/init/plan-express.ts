import { type FrameworkPlan, type Layout, lines } from './layout.ts'
import { listWorkers, writeReceiver } from './receiver-files.ts'

const ENTRIES = ['server', 'app', 'index', 'main'].flatMap((name) =>
  ['ts', 'mts', 'js', 'mjs'].flatMap((extension) => [`${name}.${extension}`, `src/${name}.${extension}`]),
)

export function planExpress(layout: Layout): FrameworkPlan {
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
