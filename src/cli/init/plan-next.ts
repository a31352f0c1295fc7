import { type FrameworkPlan, type Layout, lines } from './layout.ts'
import { listWorkers, writeReceiver } from './receiver-files.ts'

export function planNext(layout: Layout): FrameworkPlan {
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
