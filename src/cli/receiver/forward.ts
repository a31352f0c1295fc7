import { setTimeout as pause } from 'node:timers/promises'
import { sign } from 'hooklayer/testing'
import { explainFailure } from '../explain-failure.ts'
import { readAnswer } from './read-answer.ts'

/** A document of Commerce Layer's API, to be sent as a delivery. */
export interface ForwardedEvent {
  readonly topic: string
  readonly document: unknown
  readonly secret: string
}

export interface ForwardOptions {
  readonly url: URL
  /** Whether to send an event again while nobody answers. Otherwise the failure is thrown. */
  readonly keepsTrying: boolean
  /** Called once before an event is sent again, with the reason. */
  readonly onUnreachable: (problem: string) => void
  readonly signal: AbortSignal
}

/** The answer to a delivery. */
export interface ForwardAnswer {
  readonly status: number
  readonly answer: string
  readonly durationMs: number
}

const TIMEOUT_MS = 30_000
const RETRY_MS = 1000
const LAST_ANSWER_MS = 1500

/**
 * Signs a document anew and sends it as a delivery. While there is no server, such as one that restarts, it is sent
 * again each second, so that no event is left out. An answer of any status ends it.
 */
export async function forward(event: ForwardedEvent, options: ForwardOptions): Promise<ForwardAnswer> {
  const { url, keepsTrying, onUnreachable, signal } = options
  const body = new TextEncoder().encode(JSON.stringify(event.document))
  const headers = {
    'content-type': 'application/json',
    'x-commercelayer-topic': event.topic,
    'x-commercelayer-signature': await sign(body, event.secret),
  }
  for (let attempt = 1; ; attempt += 1) {
    const startedAt = performance.now()
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body,
        redirect: 'manual',
        signal: AbortSignal.any([abortLater(signal), AbortSignal.timeout(TIMEOUT_MS)]),
      })
      const answer = await readAnswer(response)
      return { status: response.status, answer, durationMs: Math.round(performance.now() - startedAt) }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof Error && error.name === 'TimeoutError') {
        return { status: 0, answer: 'no answer', durationMs: TIMEOUT_MS } // It may be handled all the same.
      }
      if (!keepsTrying) throw error
      if (attempt === 1) onUnreachable(explainFailure(error).message)
      await pause(RETRY_MS, undefined, { signal })
    }
  }
}

/** After Ctrl-C an answer that is on its way is waited for, so that the event does not come twice. */
function abortLater(signal: AbortSignal): AbortSignal {
  const later = new AbortController()
  const abort = () => setTimeout(() => later.abort(), LAST_ANSWER_MS)
  AbortSignal.any([signal]).addEventListener('abort', abort, { once: true })
  return later.signal
}
