import { styleText } from 'node:util'

export interface OutputOptions {
  readonly json: boolean
  readonly verbose: boolean
}

export type Style = Parameters<typeof styleText>[0]

/** One column of a table. */
interface Column<T> {
  readonly title: string
  readonly align?: 'right'
  read(row: T): string | number | undefined
}

interface Progress {
  /** How much is done now. `note` is one more word, such as what is being done. */
  update(done: number, note?: string): void
  /** Ends the line. */
  end(): void
}

/** How often a line is printed where no terminal can rewrite it. */
const PLAIN_PROGRESS_MS = 5000
const DRAW_MS = 100

/**
 * Where all commands write: objects on stdout with `--json`, one a line, and else text for people on stderr. Texts of
 * others must go through {@link escapeText} first, except in tables, which do it.
 */
export interface Output extends OutputOptions {
  /** The result: the object with `--json`, else the text. */
  result(object: object, text: string): void
  /** The rows of a result: an object a row with `--json`, else a table. */
  table<T extends object>(rows: readonly T[], columns: readonly Column<T>[]): void
  /** Text that only people need. Nothing is printed with `--json`. */
  info(text: string): void
  /** A warning or an error: on stderr, with `--json` too. */
  warn(text: string): void
  /** Begins long work of `total` steps, or of an unknown number. */
  progress(label: string, total?: number): Progress
}

export function createOutput({ json, verbose }: OutputOptions): Output {
  const { stdout, stderr } = process
  const isDrawn = !json && stderr.isTTY === true
  let drawn = '' // The line that is being rewritten, if any.
  const print = (text: string) => {
    stderr.write(drawn === '' ? `${text}\n` : `\r\u001b[2K${text}\n${drawn}`)
  }
  const info = (text: string) => {
    if (!json) print(text)
  }
  return {
    json,
    verbose,
    result(object, text) {
      if (json) stdout.write(`${JSON.stringify(object)}\n`)
      else print(text)
    },
    table(rows, columns) {
      if (json) for (const row of rows) stdout.write(`${JSON.stringify(row)}\n`)
      else for (const line of alignColumns(rows, columns)) print(line)
    },
    info,
    warn: print,
    progress(label, total) {
      const describe = (done: number, note = '') =>
        [label, total === undefined ? done : `${done}/${total}`, note].filter((part) => part !== '').join(' ')
      let writtenAt = isDrawn ? Number.NEGATIVE_INFINITY : performance.now()
      return {
        update(done, note) {
          const now = performance.now()
          if (now - writtenAt < (isDrawn ? DRAW_MS : PLAIN_PROGRESS_MS)) return
          writtenAt = now
          if (!isDrawn) return info(describe(done, note))
          drawn = cut(escapeText(describe(done, note)), stderr.columns)
          stderr.write(`\r\u001b[2K${drawn}`)
        },
        end() {
          if (drawn !== '') stderr.write('\r\u001b[2K')
          drawn = ''
        },
      }
    },
  }
}

/** Colors a text for the terminal of stderr; the text alone without one, or with `NO_COLOR`. */
export function paint(style: Style, text: string): string {
  // Older versions of Node 20 do not look at the terminal by themselves.
  return process.stderr.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text
}

/** A status of HTTP in the color of its success; a dash for 0, where no answer came. */
export function paintStatus(status: number, isFine = isSuccess(status)): string {
  return paint(isFine ? 'green' : 'red', status === 0 ? '—' : String(status))
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

/** Control characters, what turns the direction of text, line separators, and halves of surrogate pairs. */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\p{Cs}\u2028\u2029]/gu

/** Escapes in a text of others what a terminal would obey. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (unsafe) => `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function alignColumns<T>(rows: readonly T[], columns: readonly Column<T>[]): string[] {
  const cells = rows.map((row) => columns.map((column) => escapeText(String(column.read(row) ?? ''))))
  const titles = columns.map(({ title }) => title)
  const widths = titles.map((title, i) => Math.max(title.length, ...cells.map((line) => line[i]?.length ?? 0)))
  const align = (line: readonly string[]) =>
    line
      .map((cell, i) => (columns[i]?.align ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return [paint('bold', align(titles)), ...cells.map(align)]
}

function cut(text: string, columns = 80): string {
  return text.length < columns ? text : `${text.slice(0, Math.max(columns - 2, 0))}…`
}
