import type { LiveMessage } from '../api.ts'
import { toUrl } from './api-client.ts'

type LiveState = 'connecting' | 'live' | 'lost'

type Listener = (message: LiveMessage) => void

/** The messages of the server. Whoever listens is told of a `gap` when the connection was lost in between. */
export interface Live {
  readonly state: () => LiveState
  readonly listen: (listener: Listener) => () => void
  readonly onState: (listener: (state: LiveState) => void) => () => void
}

const LONGEST_PAUSE_MS = 10_000

export function createLive(): Live {
  const listeners = new Set<Listener>()
  const stateListeners = new Set<(state: LiveState) => void>()
  let state: LiveState = 'connecting'
  let pause = 500
  let wasLost = false

  const setState = (next: LiveState) => {
    if (state === next) return
    state = next
    for (const listener of stateListeners) listener(next)
  }
  const tell = (message: LiveMessage) => {
    for (const listener of listeners) listener(message)
  }
  const connect = () => {
    const source = new EventSource(toUrl('api/live'))
    source.onopen = () => {
      pause = 500
      setState('live')
      if (wasLost) tell({ type: 'gap' })
      wasLost = false
    }
    source.onerror = () => {
      source.close() // A browser gives up by itself after an answer that is no stream.
      wasLost = true
      setState('lost')
      setTimeout(connect, pause)
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
    }
    for (const type of ['deliveries', 'inbox', 'job', 'answers', 'gap']) {
      source.addEventListener(type, ({ data }) => tell(JSON.parse(data as string) as LiveMessage))
    }
    addEventListener('pagehide', () => source.close(), { once: true })
  }
  connect()

  return {
    state: () => state,
    listen: (listener) => add(listeners, listener),
    onState: (listener) => add(stateListeners, listener),
  }
}

function add<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
