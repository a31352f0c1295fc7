import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
  /** What is done if the reader says yes; without it the dialog is only closed. */
  readonly confirm?: { readonly label: string; readonly isDangerous?: boolean; readonly act: () => void }
}

export function Dialog({ title, onClose, children, confirm }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement
    ref.current?.showModal()
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return (
    <dialog ref={ref} aria-labelledby="dialog-title" onClose={onClose}>
      <h2 id="dialog-title">{title}</h2>
      {children}
      <div class="actions">
        <button type="button" autofocus onClick={() => ref.current?.close()}>
          {confirm ? 'Cancel' : 'Close'}
        </button>
        {confirm && (
          <button
            type="button"
            class={confirm.isDangerous ? 'danger' : 'primary'}
            onClick={() => {
              ref.current?.close()
              confirm.act()
            }}
          >
            {confirm.label}
          </button>
        )}
      </div>
    </dialog>
  )
}
