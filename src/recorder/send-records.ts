import type { Logger } from '../core/logger.ts'
import { processEnv } from '../core/process-env.ts'
import type { KeptRecord } from './kept-record.ts'
import { writeRecord } from './wire-format.ts'

export interface Sending {
  add(kept: KeptRecord): void
  /** Sends what is pending. */
  flush(): Promise<void>
}

const VARIABLE = 'HOOKLAYER_RECORDER_URL'
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/
const MAX_PENDING = 1000
const MAX_PENDING_BYTES = 32 * 1024 * 1024
const GATHER_MS = 50
const TIMEOUT_MS = 2000

/** Where `hooklayer dev` takes in the records of the process that it has started; `undefined` if it has not. */
export function findReceivingUrl(logger: Logger): string | undefined {
  const url = processEnv()[VARIABLE]
  if (typeof url !== 'string' || url === '') return undefined
  try {
    const { protocol, hostname, username, password } = new URL(url)
    // `fetch` takes no URL with credentials.
    if (protocol === 'http:' && LOOPBACK.test(hostname) && username + password === '') return url
  } catch {
    // It is no URL.
  }
  logger.warn(`${VARIABLE} is ignored: records are not masked, so it must be a URL such as http://127.0.0.1:4001/….`)
  return undefined
}

/** Sends records as they come, several at a time. What cannot be sent is dropped. */
export function sendRecords(url: string): Sending {
  let pending: KeptRecord[] = []
  let bytes = 0
  let sending: Promise<void> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  async function send(): Promise<void> {
    do {
      const body = pending.map(writeRecord).join('\n')
      pending = []
      bytes = 0
      const headers = { 'content-type': 'application/x-ndjson' }
      // A redirect could lead to another machine. What is answered is not read: it may be endless.
      await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
        .then((response) => response.body?.cancel())
        .catch(() => {})
    } while (pending.length > 0)
    sending = undefined
  }

  async function start(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    if (pending.length > 0) sending ??= send()
    await sending
  }

  return {
    add(kept) {
      const bodyBytes = kept.body?.byteLength ?? 0
      if (pending.length === MAX_PENDING || bytes + bodyBytes > MAX_PENDING_BYTES) return
      bytes += bodyBytes
      pending.push(kept)
      timer ??= setTimeout(start, GATHER_MS)
    },
    flush: start,
  }
}
