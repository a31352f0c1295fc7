import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { InboxCounts, InboxItem, InboxPage } from '../../api.ts'
import { get, type Query, toSentence } from '../api-client.ts'

interface ListState {
  readonly items: readonly InboxItem[]
  readonly hasMore: boolean
  readonly isLoading: boolean
  readonly problem: string | undefined
}

const PAGE = '200'
/** So many rows are kept at most. */
const MOST_ROWS = 10_000

/**
 * What is in the inbox. When the counts have changed it asks again, or says `hasChanged` where somebody reads.
 */
export function useInboxList(query: Query, counts: InboxCounts | undefined, isReading: () => boolean) {
  const key = JSON.stringify(query)
  const [state, setState] = useState<ListState>({ items: [], hasMore: false, isLoading: true, problem: undefined })
  const [hasChanged, setChanged] = useState(false)
  const turn = useRef(0)
  const load = useCallback(
    async (after?: string) => {
      const mine = ++turn.current
      setState((last) => ({ ...last, isLoading: true }))
      try {
        const page = await get<InboxPage>('api/inbox/deliveries', { ...(JSON.parse(key) as Query), after, limit: PAGE })
        if (mine !== turn.current) return
        setState((last) => ({
          items: after ? [...last.items, ...page.items] : page.items,
          hasMore: page.hasMore,
          isLoading: false,
          problem: undefined,
        }))
        if (!after) setChanged(false)
      } catch (error) {
        if (mine === turn.current) setState((last) => ({ ...last, isLoading: false, problem: toSentence(error) }))
      }
    },
    [key],
  )
  useEffect(() => void load(), [load])

  const reading = useRef(isReading)
  reading.current = isReading
  const summary = JSON.stringify(counts)
  const seen = useRef<string | undefined>(undefined)
  useEffect(() => {
    const isFirst = seen.current === undefined
    seen.current = summary
    if (isFirst || counts === undefined) return
    if (reading.current()) setChanged(true)
    else void load()
  }, [summary])

  return {
    ...state,
    hasChanged,
    reload: useCallback(() => void load(), [load]),
    loadMore: () => {
      const last = state.items.at(-1)
      if (state.hasMore && !state.isLoading && last && state.items.length < MOST_ROWS) void load(last.id)
    },
  }
}
