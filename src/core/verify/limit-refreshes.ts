import { isPromise } from '../maybe-promise.ts'
import type { Secrets } from './secrets.ts'

/**
 * Bounds the bodies that are kept while secrets are read again, which may take seconds. When they have `maxBytes` bytes
 * together, a further mismatch is refused at once.
 */
export function limitRefreshes(secrets: Secrets, maxBytes: number): Secrets {
  let waiting = 0
  return {
    ...secrets,
    refresh(topic, deadline, bytes = 0) {
      if (waiting > 0 && waiting + bytes > maxBytes) return []
      const found = secrets.refresh(topic, deadline)
      if (!isPromise(found)) return found
      waiting += bytes
      return found.finally(() => {
        waiting -= bytes
      })
    },
  }
}
