/** The longest message of an error that is kept or logged, in UTF-16 code units. */
const MAX_LENGTH = 2000
const HALF_PAIR = /[\ud800-\udbff]$/

/**
 * Cuts a text of unknown origin to 2,000 characters, and marks that it was cut. Never cuts a surrogate pair in two,
 * because databases refuse half of one.
 */
export function boundText(text: string, maxLength = MAX_LENGTH): string {
  if (text.length <= maxLength) return text
  return `${text.slice(0, maxLength - 1).replace(HALF_PAIR, '')}…`
}

/**
 * Control characters, what turns the direction of text, line and paragraph separators, and halves of surrogate pairs.
 */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\p{Cs}\u2028\u2029]/gu

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Escapes what would start a new line, or move the cursor or change the order of what a terminal shows. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (unsafe) => {
    return SHORT[unsafe] ?? `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
