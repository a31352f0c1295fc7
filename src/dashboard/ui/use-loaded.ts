import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { toSentence } from './api-client.ts'

/** What a call gave, or why it failed. What was got before stays until there is something new. */
export interface Loaded<T> {
  readonly value: T | undefined
  readonly problem: string | undefined
  readonly isLoading: boolean
  readonly reload: () => void
}

/** Makes the call anew whenever `key` changes, and for `reload`. An answer that comes too late is dropped. */
export function useLoaded<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'> & { readonly key: string }>({
    key,
    value: undefined,
    problem: undefined,
    isLoading: true,
  })
  const latest = useRef(load)
  latest.current = load
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    const abort = new AbortController()
    const set = (next: { value?: T; problem?: string }) => {
      if (abort.signal.aborted) return
      setState((last) => ({
        key,
        value: next.value ?? (last.key === key ? last.value : undefined),
        problem: next.problem,
        isLoading: false,
      }))
    }
    setState((last) => (last.key === key ? { ...last, isLoading: true } : { ...last, key, isLoading: true }))
    latest.current(abort.signal).then(
      (value) => set({ value }),
      (error: unknown) => set({ problem: toSentence(error) }),
    )
    return () => abort.abort()
  }, [key, turn])
  const reload = useCallback(() => setTurn((last) => last + 1), [])
  return { value: state.value, problem: state.problem, isLoading: state.isLoading, reload }
}
