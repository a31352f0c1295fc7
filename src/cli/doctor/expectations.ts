import type { Expectation } from './probe.ts'
import type { Answer } from './send-request.ts'

const statusOf = (answer: Answer) => (answer.kind === 'answer' ? answer.status : 0)
const isClientError = (answer: Answer) => statusOf(answer) >= 400 && statusOf(answer) < 500

export const ACCEPTED: Expectation = {
  text: '2xx within 5 s',
  isMet: (answer) => statusOf(answer) >= 200 && statusOf(answer) < 300 && answer.durationMs <= 5000,
}
export const REFUSED: Expectation = {
  text: '401, or another 4xx',
  isMet: (answer) => isClientError(answer) && ![404, 405].includes(statusOf(answer)),
}
export const UNAUTHORIZED: Expectation = {
  text: '401',
  isMet: (answer) => [401, 403].includes(statusOf(answer)),
}
export const NO_ERROR: Expectation = {
  text: 'any answer but 5xx',
  isMet: (answer) => answer.kind === 'answer' && answer.status < 500,
}
export const CLIENT_ERROR: Expectation = { text: '4xx', isMet: isClientError }
export const NOT_HANGING: Expectation = {
  text: 'an error, or the end of the connection, within 10 s',
  isMet: (answer) => answer.kind === 'closed' || statusOf(answer) >= 400,
}
export const ANYTHING: Expectation = { text: 'nothing', isMet: () => true }

/** How most receivers that refuse true deliveries are mended. */
export const READ_BYTES =
  'Verify the bytes as they came, before anything parses them: `express.raw({ type: "*/*", limit: "5mb" })`, ' +
  '`await request.text()`, or `createExpressMiddleware(receiver)` above every body parser.'
