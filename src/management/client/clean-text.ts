/** The longest text of an answer that becomes part of an error. */
const MAX_LENGTH = 2000

/**
 * What a terminal or a log does not show as itself: control characters, separators of lines, marks of direction and
 * others without a glyph, halves of surrogate pairs.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Cuts a text that the API wrote, and escapes each character that is not shown as itself: `\u{1b}`. */
export function cleanText(text: string, maxLength = MAX_LENGTH): string {
  return text.slice(0, maxLength).replace(UNSEEN, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`)
}
