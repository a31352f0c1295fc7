import type { WebhookResponse } from '../core/http/request.ts'

/** Answers by the id of their request. */
export interface AnswerCache {
  get(id: string): WebhookResponse | undefined
  set(id: string, response: WebhookResponse): void
}

const MAX_ANSWERS = 1000

/**
 * Keeps the last answers for a while. Not by `lru-cache`: in a bundle for Workers that imports a module of Node, unless
 * the bundler also sets the condition `browser`.
 */
export function createAnswerCache(ttlMs: number): AnswerCache {
  const kept = new Map<string, { readonly response: WebhookResponse; readonly until: number }>()
  return {
    get(id) {
      const found = kept.get(id)
      return found && performance.now() < found.until ? found.response : undefined
    },
    set(id, response) {
      kept.delete(id) // So that it becomes the last.
      kept.set(id, { response, until: performance.now() + ttlMs })
      const [oldest] = kept.keys()
      if (kept.size > MAX_ANSWERS && oldest !== undefined) kept.delete(oldest)
    },
  }
}
