import type { SafeLogger } from '../../core/logger.ts'
import { maskText } from '../../core/mask-text.ts'
import type { Problem } from '../api.ts'

/** A failure whose message may be shown: a sentence, without anything of a payload or a secret. */
export class Refusal extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** `what` completes the sentence: `delivery`. */
export function notFound(what: string): Refusal {
  return new Refusal(404, `There is no such ${what} any more.`)
}

export function badRequest(message: string): Refusal {
  return new Refusal(400, message)
}

/** A `TypeError` says what is wrong about the topic, the kind or the resource. */
export async function refuseMistakes<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TypeError) throw badRequest(error.message)
    throw error
  }
}

export function toResponse({ status, message, headers }: Refusal): Response {
  return Response.json({ error: message } satisfies Problem, { status, headers })
}

/** What the dashboard asks: each can be down by itself. */
type Source = 'recorder' | 'inbox' | 'management' | 'emulator'

/** Asks a source, and words its failure. What it said goes to the log only. */
export type Ask = <T>(source: Source, work: () => T | Promise<T>) => Promise<T>

export function createAsk(logger: SafeLogger): Ask {
  return async (source, work) => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof Refusal) throw error
      const { message, name, code } = Object(error)
      logger.error(`The dashboard could not use the ${source}: ${maskText(String(message ?? error))}`)
      throw source === 'management'
        ? refuseApi(name === 'TimeoutError' ? name : code)
        : new Refusal(503, UNAVAILABLE[source])
    }
  }
}

const UNAVAILABLE: Readonly<Record<Exclude<Source, 'management'>, string>> = {
  recorder: 'The recorder cannot be read. The log of the server says why.',
  inbox: 'The inbox does not answer. The log of the server says why. Try again when it is back.',
  emulator: 'The emulator did not do it. The log says why.',
}

/** By the code of a `ManagementError`. */
const API: Readonly<Record<string, readonly [status: number, message: string]>> = {
  RATE_LIMITED: [503, 'The rate limit of Commerce Layer allows no request now. Try again in a minute.'],
  RECORD_NOT_FOUND: [404, 'Commerce Layer does not have it any more.'],
  UNREACHABLE: [502, 'Commerce Layer cannot be reached. Try again.'],
  CONNECTION_LOST: [502, 'The connection to Commerce Layer was lost. Try again.'],
  TIMEOUT: [502, 'Commerce Layer did not answer in time. Try again.'],
  TimeoutError: [503, 'Commerce Layer is slow, or its rate limit makes requests wait. Try again in a minute.'],
  OUTCOME_UNKNOWN: [502, 'It is not known whether Commerce Layer made the change. Reload before you try again.'],
  CREDENTIALS_REFUSED: [502, 'Commerce Layer does not accept the client id and secret of the dashboard.'],
  ACCESS_TOKEN_MISSING: [502, 'There is no access token for Commerce Layer.'],
}

function refuseApi(code: unknown): Refusal {
  const [status, message] = API[String(code)] ?? [502, 'Commerce Layer refused the request. The log says why.']
  return new Refusal(status, message)
}
