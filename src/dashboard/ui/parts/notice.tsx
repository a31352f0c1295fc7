import type { ComponentChildren } from 'preact'
import { Sentence } from './text.tsx'

/** Why something could not be shown or done, and a way to try again. */
export function ProblemNotice({
  text,
  onRetry,
}: {
  readonly text: string
  readonly onRetry?: (() => void) | undefined
}) {
  return (
    <div class="notice problem" role="alert">
      <span>
        <Sentence text={text} />
      </span>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}

interface EmptyProps {
  readonly title: string
  readonly code?: string
  readonly children?: ComponentChildren
}

/** There is nothing to show: what to do about it, with the line of code to add. */
export function Empty({ title, code, children }: EmptyProps) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
      {code && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways, also by keyboard.
        <pre tabIndex={0} role="group" aria-label="Code to add">
          {code}
        </pre>
      )}
    </div>
  )
}
