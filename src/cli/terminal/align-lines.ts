import { escapeText, paint } from './output.ts'

/** Lines of a title and a text, one below the other. A line without a text is left out. */
export function alignLines(lines: readonly (readonly [title: string, text: string | undefined])[]): string {
  const width = Math.max(...lines.map(([title]) => title.length))
  return lines
    .flatMap(([title, text]) =>
      text === undefined ? [] : `${paint('bold', title.padEnd(width))}  ${escapeText(text)}`,
    )
    .join('\n')
}
