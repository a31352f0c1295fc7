import { onTestFinished } from 'vitest'
import type { LiveMessage } from '../../src/dashboard/api.ts'

export interface Watching {
  /** The messages so far, in the order in which they came. */
  messages(): readonly LiveMessage[]
  stop(): void
}

/** Opens the stream of server-sent events, as a page does, and reads it as it comes. Ends with the test. */
export async function watchLive(url: string): Promise<Watching> {
  const abort = new AbortController()
  onTestFinished(() => abort.abort())
  const response = await fetch(`${url}api/live`, { signal: abort.signal })
  if (!response.ok || !response.body) throw new Error(`api/live was answered ${response.status}.`)
  const messages: LiveMessage[] = []
  void read(response.body, (message) => messages.push(message)).catch(() => {})
  return { messages: () => messages, stop: () => abort.abort() }
}

async function read(body: ReadableStream<Uint8Array>, take: (message: LiveMessage) => void): Promise<void> {
  let rest = ''
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const blocks = `${rest}${text}`.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const [, type, data] = /^event: (\w+)\ndata: (.*)$/s.exec(block) ?? []
      if (data === undefined) continue
      const message = JSON.parse(data) as LiveMessage
      if (message.type !== type) throw new Error(`The event ${type} has the type ${message.type}.`)
      take(message)
    }
  }
}
