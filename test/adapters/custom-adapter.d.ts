declare module '*/custom-adapter/http2-adapter.js' {
  import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
  import type { Receiver } from 'hooklayer'

  export function createHttp2Listener(
    receiver: Pick<Receiver, 'receive'>,
  ): (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => Promise<void>
}
