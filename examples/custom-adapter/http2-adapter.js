import { constants } from 'node:http2'
import { WebhookError } from 'hooklayer'

/**
 * The receiver as a listener of the `stream` event of a `node:http2` server.
 * @typedef {import('node:http2').ServerHttp2Stream} Stream
 * @typedef {import('node:http2').IncomingHttpHeaders} Headers
 * @param {Pick<import('hooklayer').Receiver, 'receive'>} receiver
 */
export function createHttp2Listener(receiver) {
  /** @type {(stream: Stream, headers: Headers) => Promise<void>} */
  return async (stream, headers) => {
    stream.on('error', () => {}) // without this, a stream that its sender resets ends the process
    const answer = await receiver.receive({
      method: headers[':method'] ?? '',
      headers,
      body: (options) => read(stream, options), // called if the headers are in order
    })
    if (stream.destroyed || stream.closed) return
    stream.respond({ ':status': answer.status, ...answer.headers })
    stream.end(answer.body)
    stream.once('finish', () => stream.close()) // the rest of a refused body is not read
    stream.setTimeout(4000, () => stream.close(constants.NGHTTP2_CANCEL)) // nobody reads the answer
  }
}

/**
 * The bytes as they came: they are what is signed. Whatever else is thrown here counts as `BODY_ABORTED`.
 * @param {Stream} stream
 * @param {Parameters<import('hooklayer/drivers').ReadBody>[0]} options
 */
async function read(stream, { maxBytes, onProgress }) {
  const chunks = []
  let length = 0
  // Left early, an iterator destroys its stream, which has an answer to carry yet.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    length += chunk.length
    if (length > maxBytes) throw new WebhookError('BODY_TOO_LARGE')
    chunks.push(chunk)
    await onProgress?.(chunk.length) // tells the receiver a slow body from one that has stalled
  }
  return Buffer.concat(chunks)
}
