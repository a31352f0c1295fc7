import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { DeliveryFilter, DeliveryItem, DeliveryPage } from '../../api.ts'
import { get, type Query } from '../api-client.ts'
import type { Live } from '../live.ts'
import { createDeliveryList, type DeliveryList, type ListState } from './list.ts'

/** More than this waits for a frame only where the page is hidden: the list asks again instead. */
const MOST_QUEUED = 2000
const RETRY_MS = 400
const SEARCH_MS = 1000

/** The deliveries of a filter, live. What comes in is drawn once a frame. */
export function useDeliveryList(filter: DeliveryFilter, live: Live, isReading: () => boolean) {
  const key = JSON.stringify(filter)
  const [state, setState] = useState<ListState>()
  const reading = useRef(isReading)
  reading.current = isReading
  const list: DeliveryList = useMemo(() => {
    const made = createDeliveryList({
      filter,
      load: (query) => get<DeliveryPage>('api/deliveries', query as Query),
      isReading: () => reading.current(),
      onChange() {
        const next = made.state()
        // What was shown stays until there is an answer for another filter.
        setState((last) => (last && next.isLoading && next.rows.length === 0 ? { ...last, isLoading: true } : next))
      },
    })
    return made
  }, [key])
  useEffect(() => {
    void list.reload()
    const stop = feed(list, live)
    // What was held back for a reader who has gone is shown; a search is asked again, because only the server can.
    const timer = setInterval(
      () => {
        const { held, hasGap, isLoading, problem } = list.state()
        if ((held > 0 || hasGap) && !isLoading && !problem && !reading.current()) list.showHeld()
      },
      filter.search ? SEARCH_MS : RETRY_MS,
    )
    return () => {
      stop()
      clearInterval(timer)
    }
  }, [list, live])
  return { list, state: state ?? list.state() }
}

/** Gives the list what comes in, at most once a frame. */
function feed(list: DeliveryList, live: Live): () => void {
  let queue: DeliveryItem[] = []
  let frame: number | undefined
  const flush = () => {
    frame = undefined
    const items = queue
    queue = []
    list.take(items)
  }
  const stop = live.listen((message) => {
    if (message.type === 'gap') list.miss()
    if (message.type !== 'deliveries') return
    if (queue.length + message.items.length > MOST_QUEUED) {
      queue = []
      return list.miss()
    }
    queue.push(...message.items)
    frame ??= requestAnimationFrame(flush)
  })
  return () => {
    stop()
    if (frame !== undefined) cancelAnimationFrame(frame)
  }
}
