import { createEmulator, type EmulatorOptions } from 'hooklayer/emulator'
import { createManagement } from 'hooklayer/management'
import { onTestFinished } from 'vitest'
import { listen } from '../conformance/listen.ts'

/** A local Commerce Layer, a client of it, and an endpoint that answers as told. */
export async function scene(options: EmulatorOptions = {}) {
  const emulator = await createEmulator({ organization: 'shop', retries: 0, ...options })
  const { organization, clientId, clientSecret, url } = emulator
  const management = createManagement({ organization, clientId, clientSecret, url })
  const answer = { status: 200 }
  const endpoint = await listen((request, response) => {
    request.resume()
    response.writeHead(answer.status).end()
  })
  onTestFinished(async () => {
    await emulator.close()
    await endpoint.close()
  })
  return { emulator, management, callbackUrl: endpoint.url, answer }
}
