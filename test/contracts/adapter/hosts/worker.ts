import { createFetchHandler } from 'hooklayer/fetch'
import { createScenarioReceiver } from '../receiver-under-test.ts'

const receiver = createScenarioReceiver()

// biome-ignore lint/style/noDefaultExport: a Worker's handlers are its default export
export default {
  fetch(request: Request, _env: unknown, context: { waitUntil(work: Promise<unknown>): void }): Promise<Response> {
    return createFetchHandler(receiver, { background: (work) => context.waitUntil(work) })(request)
  },
}
