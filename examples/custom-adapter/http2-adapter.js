import { constants } from 'node:http2'
import { WebhookError } from 'hooklayer'

/** How much of a refused body is read on, and for how long, so that its sender can read the answer. */
const LINGER_BYTES = 8 * 1024 * 1024
const LINGER_MS = 4000

/**
 * The receiver as a listener of the `stream` event of a `node:http2` server.
 *
 * @typedef {import('node:http2').ServerHttp2Stream} Stream
 * @typedef {import('node:http2').IncomingHttpHeaders} Headers
 * @param {Pick<import('hooklayer').Receiver, 'receive'>} receiver
 */
export function createHttp2Listener(receiver) {
  /** @type {(stream: Stream, headers: Headers) => Promise<void>} */
  return async (stream, headers) => {
    stream.on('error', () => {}) // a sender may reset its stream at any moment; unheard, that ends the process
    const answer = await receiver.receive({
      method: headers[':method'] ?? '',
      headers,
      body: (options) => read(stream, options), // called if the headers are in order
    })
    if (stream.destroyed || stream.closed) return
    stream.respond({ ':status': answer.status, ...answer.headers })
    stream.end(answer.body)
    end(stream, answer.status)
  }
}

/**
 * The bytes as they came: they are what is signed. Whatever else is thrown here counts as `BODY_ABORTED`.
 *
 * @param {Stream} stream
 * @param {import('hooklayer/drivers').ReadBodyOptions} options
 */
async function read(stream, { maxBytes, onProgress }) {
  const chunks = []
  let length = 0
  // Left early, an iterator destroys its stream, which has an answer to carry yet.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    length += chunk.length
    if (length > maxBytes) throw new WebhookError('BODY_TOO_LARGE')
    chunks.push(chunk)
    await onProgress?.(chunk.length) // by it the receiver tells a slow body from one that has stalled
  }
  return Buffer.concat(chunks)
}

/**
 * Discards the rest of the request, within bounds. Then the stream is closed, and never the session, which other
 * requests share.
 *
 * @param {Stream} stream
 * @param {number} status
 */
function end(stream, status) {
  const close = () => stream.close(stream.writableFinished ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_CANCEL)
  const timer = setTimeout(close, LINGER_MS)
  stream.once('close', () => clearTimeout(timer))
  if (status === 408) {
    stream.once('finish', close) // it was too slow
    return
  }
  let left = LINGER_BYTES
  stream.on('data', (chunk) => {
    left -= chunk.length
    if (left < 0) close()
  })
}
