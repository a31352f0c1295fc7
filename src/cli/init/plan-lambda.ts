import { type FrameworkPlan, type Layout, lines } from './layout.ts'
import { writeReceiver } from './receiver-files.ts'

export function planLambda(layout: Layout): FrameworkPlan {
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
