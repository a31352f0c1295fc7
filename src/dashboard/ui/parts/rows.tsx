import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { isTyping } from '../keys.ts'

export interface RowsControl {
  /** Whether somebody reads: scrolled down, moved to a row by keyboard, or moved the pointer over them just now. */
  isReading(): boolean
  toTop(): void
}

interface RowsProps<T> {
  readonly label: string
  /** Names the widths of the columns in the styles. */
  readonly kind: string
  readonly columns: readonly ComponentChildren[]
  readonly items: readonly T[]
  readonly keyOf: (item: T) => string
  /** One child for each column. */
  readonly renderCells: (item: T) => readonly ComponentChildren[]
  readonly openKey?: string | undefined
  readonly onOpen: (item: T) => void
  /** The key `x`. */
  readonly onMark?: ((item: T) => void) | undefined
  /** The last rows are seen. */
  readonly onEnd: () => void
  readonly control: { current: RowsControl | undefined }
}

/** Rows that are drawn beyond what is seen, so that scrolling shows no gaps. */
const SPARE = 8
/** After the pointer was moved, rows stay where they are for so long. */
const POINTER_MS = 1500
const NARROW = matchMedia('(max-width: 760px)')

/** A list of any length: only what is seen is in the document, and each row is as high as the others. */
export function Rows<T>(props: RowsProps<T>) {
  const { label, kind, columns, items, keyOf, renderCells, openKey, onOpen, onMark, onEnd, control } = props
  const body = useRef<HTMLDivElement>(null)
  const movedAt = useRef(0)
  const [view, setView] = useState({ top: 0, height: 800 })
  const height = useRowHeight()
  const [active, setActive] = useState<string>()
  const wantsFocus = useRef(false)

  control.current = {
    isReading() {
      const { current } = body
      if (!current) return false
      if (current.scrollTop > height / 2 || performance.now() - movedAt.current < POINTER_MS) return true
      return current.contains(document.activeElement)
    },
    toTop: () => body.current?.scrollTo({ top: 0 }),
  }

  useLayoutEffect(() => {
    const { current } = body
    if (!current) return
    const measure = () => setView((last) => ({ ...last, height: current.clientHeight }))
    const observer = new ResizeObserver(measure)
    observer.observe(current)
    measure()
    return () => observer.disconnect()
  }, [])
  const first = Math.max(0, Math.floor(view.top / height) - SPARE)
  const end = Math.min(items.length, Math.ceil((view.top + view.height) / height) + SPARE)
  useEffect(() => {
    if (items.length > 0 && end >= items.length - SPARE) onEnd()
  }, [end, items.length])

  const indexOf = (key: string | undefined) => (key === undefined ? -1 : items.findIndex((item) => keyOf(item) === key))
  const activeIndex = indexOf(active)
  const move = (index: number) => {
    const item = items[Math.min(Math.max(index, 0), items.length - 1)]
    const { current } = body
    if (!item || !current) return
    const at = items.indexOf(item) * height
    if (at < current.scrollTop) current.scrollTop = at
    if (at + height > current.scrollTop + current.clientHeight) current.scrollTop = at + height - current.clientHeight
    wantsFocus.current = true
    setActive(keyOf(item))
    setView({ top: current.scrollTop, height: current.clientHeight })
  }
  useLayoutEffect(() => {
    if (!wantsFocus.current) return
    wantsFocus.current = false
    body.current?.querySelector<HTMLElement>('[role=row][tabindex="0"]')?.focus({ preventScroll: true })
  })
  const opened = indexOf(openKey)
  const start = opened === -1 ? Math.ceil(view.top / height) - 1 : opened
  useKeys({ move, from: activeIndex === -1 ? start : activeIndex, page: Math.floor(view.height / height) }, body)

  // The active row stays in the document when it is scrolled away, so that the focus does.
  const drawn = items.slice(first, end).map((item, i) => ({ item, index: first + i }))
  const activeItem = items[activeIndex]
  if (activeItem && (activeIndex < first || activeIndex >= end)) drawn.push({ item: activeItem, index: activeIndex })
  const tabbable = activeIndex === -1 ? first : activeIndex

  return (
    <div class={`rows ${kind}`} role="grid" aria-label={label} aria-rowcount={items.length + 1} aria-readonly>
      <div role="rowgroup" class="rows-head">
        <div role="row" aria-rowindex={1}>
          {columns.map((column, i) => (
            <div role="columnheader" key={i}>
              {column}
            </div>
          ))}
        </div>
      </div>
      <div
        role="rowgroup"
        class="rows-body"
        ref={body}
        tabIndex={items.length === 0 ? 0 : -1}
        onPointerMove={() => {
          movedAt.current = performance.now()
        }}
        onScroll={({ currentTarget }) => setView({ top: currentTarget.scrollTop, height: currentTarget.clientHeight })}
      >
        <div role="presentation" class="rows-space" style={{ height: `${items.length * height}px` }}>
          {drawn.map(({ item, index }) => {
            const key = keyOf(item)
            return (
              <div
                key={key}
                role="row"
                aria-rowindex={index + 2}
                aria-selected={key === openKey}
                tabIndex={index === tabbable ? 0 : -1}
                style={{ top: `${index * height}px` }}
                onFocus={() => setActive(key)}
                onClick={() => {
                  setActive(key)
                  onOpen(item)
                }}
                onKeyDown={(event: KeyboardEvent) => {
                  if (event.target !== event.currentTarget) return
                  if (event.key === 'Enter') onOpen(item)
                  if (onMark && (event.key === 'x' || event.key === ' ')) {
                    event.preventDefault()
                    onMark(item)
                  }
                }}
              >
                {renderCells(item).map((cell, i) => (
                  <div role="gridcell" key={i}>
                    {cell}
                  </div>
                ))}
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}

interface Moves {
  readonly move: (index: number) => void
  /** The active row, or the one before the first that is seen. */
  readonly from: number
  readonly page: number
}

/** j and k work from anywhere, the arrows and others within the rows. */
function useKeys(moves: Moves, body: { readonly current: HTMLElement | null }): void {
  const latest = useRef(moves)
  latest.current = moves
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const { move, from, page } = latest.current
      const isInside = event.target instanceof Node && body.current?.contains(event.target)
      if (isTyping(event) || (!isInside && event.key !== 'j' && event.key !== 'k')) return
      const steps: Readonly<Record<string, number>> = {
        j: from + 1,
        k: from - 1,
        ArrowDown: from + 1,
        ArrowUp: from - 1,
        PageDown: from + page,
        PageUp: from - page,
        Home: 0,
        End: Number.MAX_SAFE_INTEGER,
      }
      const step = steps[event.key]
      if (step === undefined) return
      event.preventDefault()
      move(step)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [body])
}

/** As in the styles: on a narrow screen a row has two lines. */
function useRowHeight(): number {
  const [isNarrow, setNarrow] = useState(NARROW.matches)
  useEffect(() => {
    const read = () => setNarrow(NARROW.matches)
    NARROW.addEventListener('change', read)
    return () => NARROW.removeEventListener('change', read)
  }, [])
  return isNarrow ? 54 : 29
}
