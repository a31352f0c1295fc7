import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { isTyping } from '../keys.ts'

interface PanelProps {
  readonly label: string
  readonly isBusy: boolean
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/** What is opened beside a list. Escape closes it, and the focus goes back to where it was. */
export function Panel({ label, isBusy, onClose, children }: PanelProps) {
  const ref = useRef<HTMLElement>(null)
  const close = useRef(onClose)
  close.current = onClose
  useEffect(() => {
    const before = document.activeElement
    ref.current?.focus({ preventScroll: true })
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || isTyping(event)) return
      close.current()
    }
    document.addEventListener('keydown', onKey)
    return () => {
      document.removeEventListener('keydown', onKey)
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
    }
  }, [])
  return (
    <section class="panel" aria-label={label} aria-busy={isBusy} tabIndex={-1} ref={ref}>
      <button
        type="button"
        class="close"
        onClick={onClose}
        aria-label={`Close ${label.toLowerCase()}`}
        title="Close (Escape)"
      >
        ×
      </button>
      {children}
    </section>
  )
}
