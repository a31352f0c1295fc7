import { CliError } from './cli-error.ts'
import type { ExitName } from './exit-codes.ts'

/** What is told of anything that was thrown: one line, and how to exit. */
export interface Failure {
  readonly exit: ExitName
  readonly message: string
}

interface Explanation {
  readonly exit: ExitName
  /** Comes before the message of the error. */
  readonly about?: string
}

/** Codes of Node and of its `fetch`. */
const SYSTEM: Readonly<Record<string, Explanation>> = {
  ECONNREFUSED: { exit: 'UNREACHABLE', about: 'Nothing listens there' },
  ECONNRESET: { exit: 'UNREACHABLE', about: 'The connection was cut' },
  ENOTFOUND: { exit: 'UNREACHABLE', about: 'There is no such host' },
  EAI_AGAIN: { exit: 'UNREACHABLE', about: 'The name of the host cannot be looked up now' },
  ETIMEDOUT: { exit: 'UNREACHABLE', about: 'No answer came in time' },
  EHOSTUNREACH: { exit: 'UNREACHABLE', about: 'The host cannot be reached' },
  ENETUNREACH: { exit: 'UNREACHABLE', about: 'The network cannot be reached' },
  UND_ERR_CONNECT_TIMEOUT: { exit: 'UNREACHABLE', about: 'No connection was made in time' },
  UND_ERR_HEADERS_TIMEOUT: { exit: 'UNREACHABLE', about: 'No answer came in time' },
  UND_ERR_SOCKET: { exit: 'UNREACHABLE', about: 'The connection was cut' },
  ENOSPC: { exit: 'LIMIT', about: 'The disk is full' },
  EDQUOT: { exit: 'LIMIT', about: 'The disk quota is used up' },
  EMFILE: { exit: 'LIMIT', about: 'Too many files are open' },
  EACCES: { exit: 'REFUSED', about: 'The system does not permit it' },
  EPERM: { exit: 'REFUSED', about: 'The system does not permit it' },
  EROFS: { exit: 'REFUSED', about: 'The file system is read-only' },
  ENOENT: { exit: 'USAGE', about: 'There is no such file' },
  EISDIR: { exit: 'USAGE', about: 'A folder is not a file' },
  ERR_MODULE_NOT_FOUND: { exit: 'CONFIGURATION', about: 'A package that this command needs is not installed' },
  EADDRINUSE: { exit: 'CONFIGURATION', about: 'The port is in use' },
}

/** Failures of `hooklayer/management`, and of stores and inboxes. */
const OURS: Readonly<Record<string, ExitName>> = {
  UNREACHABLE: 'UNREACHABLE',
  CONNECTION_LOST: 'UNREACHABLE',
  TIMEOUT: 'UNREACHABLE',
  OUTCOME_UNKNOWN: 'UNREACHABLE',
  STORE_UNAVAILABLE: 'UNREACHABLE',
  RATE_LIMITED: 'LIMIT',
  RESPONSE_TOO_LARGE: 'LIMIT',
  CREDENTIALS_REFUSED: 'REFUSED',
  ACCESS_TOKEN_MISSING: 'REFUSED',
  RESPONSE_INVALID: 'CONFIGURATION',
}

const MAX_CAUSES = 5

/** Says in one line what a thrown value means, and how to exit. The first cause that is known decides. */
export function explainFailure(thrown: unknown): Failure {
  let cause = thrown
  for (let depth = 0; depth < MAX_CAUSES && typeof cause === 'object' && cause !== null; depth += 1) {
    const failure = explain(cause)
    if (failure) return failure
    cause = (cause as { readonly cause?: unknown }).cause
  }
  if (thrown instanceof TypeError && thrown.message === 'fetch failed') {
    return { exit: 'UNREACHABLE', message: `The request failed: ${toMessage(thrown.cause)}` }
  }
  return { exit: 'FOUND_WRONG', message: `Unexpected: ${toMessage(thrown)} (--verbose prints where.)` }
}

function explain(error: object): Failure | undefined {
  const { code, name, status } = error as { code?: unknown; name?: unknown; status?: unknown }
  const message = toMessage(error)
  if (error instanceof CliError) return { exit: error.exit, message }
  if (typeof code === 'string' && code.startsWith('commander.')) return { exit: 'USAGE', message: reword(message) }
  if (name === 'ManagementError' || name === 'WebhookError') {
    return { exit: OURS[String(code)] ?? explainStatus(status), message }
  }
  const system = SYSTEM[String(code)]
  return system && { exit: system.exit, message: `${system.about}: ${message || code}` }
}

function explainStatus(status: unknown): ExitName {
  if (status === 401 || status === 403) return 'REFUSED'
  return status === 429 ? 'LIMIT' : 'FOUND_WRONG'
}

/** Commander's messages begin with `error:` and have the nearest name on a second line. */
function reword(message: string): string {
  const text = message.replace(/^error: /, '').replace(/\n\((.*)\)$/, '. $1')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?]\)?$/.test(text) ? '' : '.'} See --help.`
}

function toMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
