import { useState } from 'preact/hooks'
import { escapeText } from '../../../core/plain-text.ts'
import { formatBytes, formatMoment, formatTime, formatUtc } from '../format.ts'

/** So much of a text of others is shown before somebody asks for more. */
const SHORT = 600
const STEP = 100_000

/** A text of others on one line: nothing in it is markup, and what turns the direction of text is shown as `\u202e`. */
export function Plain({ text }: { readonly text: string }) {
  return <bdi>{escapeText(text.length > SHORT ? `${text.slice(0, SHORT)}…` : text)}</bdi>
}

/** A text of others of any length: cut, until somebody asks for the rest. */
export function LongText({ text, short = SHORT }: { readonly text: string; readonly short?: number }) {
  const [shown, setShown] = useState(short)
  const rest = text.length - shown
  const lines = text.slice(0, shown).split('\n').map(escapeText)
  return (
    <>
      <bdi class="long">{lines.join('\n')}</bdi>
      {rest > 0 && (
        <button type="button" class="link" onClick={() => setShown(rest <= STEP ? text.length : shown + STEP)}>
          {rest <= STEP ? 'Show all' : `Show ${formatBytes(STEP)} more`} ({formatBytes(text.length)})
        </button>
      )}
    </>
  )
}

/** A time in the zone of the reader, and in UTC as its title. */
export function Time({ at, isWhole = false }: { readonly at: string; readonly isWhole?: boolean }) {
  return (
    <time dateTime={at} title={formatUtc(at)}>
      {isWhole ? formatMoment(at) : formatTime(at)}
    </time>
  )
}

/** A sentence in which code stands between backticks. */
export function Sentence({ text }: { readonly text: string }) {
  const parts = text.split('`')
  return <>{parts.map((part, i) => (i % 2 === 1 ? <code key={i}>{escapeText(part)}</code> : escapeText(part)))}</>
}
