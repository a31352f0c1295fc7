import { createFetchHandler } from 'hooklayer/fetch'
import { createScenarioReceiver } from '../receiver-under-test.ts'

declare const Bun: {
  serve(options: { port: number; hostname: string; fetch(request: Request): Promise<Response> }): { url: URL }
}

const fetch = createFetchHandler(createScenarioReceiver(), { background: () => {} })
const { url } = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch })
console.log(url.href)
