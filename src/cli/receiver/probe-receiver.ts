import { createProbe } from 'hooklayer/testing'
import { explainFailure } from '../explain-failure.ts'
import { isSuccess } from '../terminal/output.ts'

const TIMEOUT_MS = 10_000

/**
 * - `accepted`: the receiver has the secret.
 * - `refused`: it has not.
 * - `unknown`: the answer does not tell, or there is none. `problem` says why.
 */
export type ProbeAnswer =
  | { readonly result: 'accepted' | 'refused' }
  | { readonly result: 'unknown'; readonly problem: string }

/** Asks a running receiver whether it has a secret, over a new connection, so that a balancer may choose anew. */
export async function probeReceiver(
  url: string,
  topic: string,
  secret: string,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  const { method, headers, body } = await createProbe(topic, { secret })
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers, connection: 'close' },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    return readAnswer(response.status, await response.text())
  } catch (error) {
    signal.throwIfAborted()
    return { result: 'unknown', problem: explainFailure(error).message }
  }
}

/** A receiver of version 0.1 verifies a probe, and then takes it for an invalid document. */
function readAnswer(status: number, text: string): ProbeAnswer {
  if (isSuccess(status) || (status === 400 && text.includes('"DOCUMENT_INVALID"'))) {
    return { result: 'accepted' }
  }
  if (status === 401 || status === 403) return { result: 'refused' }
  return { result: 'unknown', problem: `It answered ${status}.` }
}
