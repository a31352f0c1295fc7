import type { DeliveryFilter, DeliveryItem, DeliveryPage } from '../../api.ts'
import { toSentence } from '../api-client.ts'

/** What is shown of the deliveries, the newest first. */
export interface ListState {
  readonly rows: readonly DeliveryItem[]
  /** Whether there are older ones. */
  readonly hasMore: boolean
  /** How many came in meanwhile and are not shown, because somebody reads. */
  readonly held: number
  /** Some of those that came in were not told: their number is not known. */
  readonly hasGap: boolean
  readonly isLoading: boolean
  readonly problem: string | undefined
}

export interface DeliveryList {
  readonly state: () => ListState
  /** Asks for the newest page. */
  readonly reload: () => Promise<void>
  readonly loadOlder: () => Promise<void>
  /** Deliveries that came in. */
  readonly take: (items: readonly DeliveryItem[]) => void
  /** Something was not told. */
  readonly miss: () => void
  /** Shows what was held back. */
  readonly showHeld: () => void
}

/** While the newest ones are watched, this many rows stay; older ones are asked for when they are scrolled to. */
const FOLLOWED = 1000
/** So many rows are kept at most. */
export const MOST_ROWS = 10_000
const FIRST_PAGE = 200

interface Options {
  readonly filter: DeliveryFilter
  readonly load: (query: DeliveryFilter) => Promise<DeliveryPage>
  /** While it says so, new rows are held back, so that nothing moves. */
  readonly isReading: () => boolean
  readonly onChange: () => void
}

/**
 * The deliveries that match a filter. Searches are answered by the server only, so while there is one, new deliveries
 * make the list ask again.
 */
export function createDeliveryList({ filter, load, isReading, onChange }: Options): DeliveryList {
  let state: ListState = { rows: [], hasMore: false, held: 0, hasGap: false, isLoading: true, problem: undefined }
  let held: readonly DeliveryItem[] = []
  let isLoadingOlder = false

  const set = (change: Partial<ListState>) => {
    state = { ...state, ...change }
    onChange()
  }
  const follow = (rows: readonly DeliveryItem[], hasMore: boolean) => {
    held = []
    const isCut = rows.length > FOLLOWED
    set({ rows: isCut ? rows.slice(0, FOLLOWED) : rows, hasMore: hasMore || isCut, held: 0, hasGap: false })
  }
  const reload = async () => {
    set({ isLoading: true })
    try {
      const page = await load({ ...filter, limit: String(FIRST_PAGE) })
      // What was told while the answer was under way may be newer than the answer.
      const newer = held.filter(({ id }) => id > (page.items[0]?.id ?? ''))
      follow(merge(newer, page.items), page.hasMore)
      set({ isLoading: false, problem: undefined })
    } catch (error) {
      set({ isLoading: false, problem: toSentence(error) })
    }
  }

  return {
    state: () => state,
    reload,
    async loadOlder() {
      const last = state.rows.at(-1)
      if (isLoadingOlder || !state.hasMore || !last || state.rows.length >= MOST_ROWS) return
      isLoadingOlder = true
      try {
        const page = await load({ ...filter, before: last.id, limit: String(FIRST_PAGE) })
        set({ rows: merge(state.rows, page.items), hasMore: page.hasMore, problem: undefined })
      } catch (error) {
        set({ problem: toSentence(error) })
      }
      isLoadingOlder = false
    },
    take(items) {
      if (filter.search) return void (items.length > 0 && set({ hasGap: true }))
      const matching = items.filter((item) => matches(item, filter))
      if (matching.length === 0) return
      held = merge(matching, held)
      const mustHold = state.isLoading || state.hasGap || isReading()
      if (!mustHold) return follow(merge(held, state.rows), state.hasMore)
      if (held.length > FOLLOWED) {
        held = held.slice(0, FOLLOWED)
        set({ held: held.length, hasGap: true })
      } else set({ held: held.length })
    },
    miss() {
      set({ hasGap: true })
    },
    showHeld() {
      if (state.hasGap) void reload()
      else if (held.length > 0) follow(merge(held, state.rows), state.hasMore)
    },
  }
}

/** Both lists as one, the newest first, each delivery once. */
function merge(one: readonly DeliveryItem[], other: readonly DeliveryItem[]): readonly DeliveryItem[] {
  if (one.length === 0) return other
  if (other.length === 0) return one
  if (String(one.at(-1)?.id) > String(other[0]?.id)) return [...one, ...other] // As nearly always.
  const known = new Set(one.map(({ id }) => id))
  const all = [...one, ...other.filter(({ id }) => !known.has(id))]
  return all.sort((a, b) => (a.id < b.id ? 1 : -1))
}

function matches(item: DeliveryItem, { topic, outcome, code, since, until }: DeliveryFilter): boolean {
  return (
    (!topic || item.topic === topic) &&
    (!outcome || outcome.split(',').includes(item.outcome)) &&
    (!code || item.code === code) &&
    (!since || item.receivedAt >= since) &&
    (!until || item.receivedAt < until)
  )
}
