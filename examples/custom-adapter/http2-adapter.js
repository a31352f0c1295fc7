import { WebhookError } from 'hooklayer'

/**
 * The receiver as a listener of the `stream` event of a `node:http2` server.
 *
 * @typedef {import('node:http2').ServerHttp2Stream} Stream
 * @typedef {import('node:http2').IncomingHttpHeaders} Headers
 * @param {import('hooklayer').Receiver} receiver
 */
export function createHttp2Listener(receiver) {
  /** @type {(stream: Stream, headers: Headers) => Promise<void>} */
  return async (stream, headers) => {
    const answer = await receiver.receive({
      method: headers[':method'] ?? '',
      headers,
      body: ({ maxBytes }) => read(stream, maxBytes), // called if the headers are in order
    })
    if (stream.destroyed) return
    stream.respond({ ':status': answer.status, ...answer.headers })
    stream.end(answer.body)
  }
}

/**
 * The bytes as they came: they are what is signed. Whatever else is thrown here counts as `BODY_ABORTED`.
 *
 * @param {Stream} stream
 * @param {number} maxBytes
 */
async function read(stream, maxBytes) {
  const chunks = []
  let length = 0
  // Left early, an iterator destroys its stream, which has an answer to carry yet.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    length += chunk.length
    if (length > maxBytes) throw new WebhookError('BODY_TOO_LARGE')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
