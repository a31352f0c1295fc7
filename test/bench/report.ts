import { arch, cpus, platform } from 'node:os'
import colors from 'picocolors'
import type { Ratio } from './rounds.ts'

export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly note?: string
}

/** What the project promises about a figure: a maximum or a minimum. */
export interface Bar {
  readonly what: string
  readonly figure: number
  readonly atMost?: number
  readonly atLeast?: number
}

/** The results of one part of the benchmark. */
export interface Findings {
  readonly tables: readonly Table[]
  readonly bars: readonly Bar[]
}

export type Part = (progress: (message: string) => void) => Promise<Findings>

/** Runs several parts one after another, and merges their results. */
export async function inOrder(parts: readonly Part[], progress: (message: string) => void): Promise<Findings> {
  const findings: Findings[] = []
  for (const run of parts) findings.push(await run(progress))
  return { tables: findings.flatMap(({ tables }) => tables), bars: findings.flatMap(({ bars }) => bars) }
}

export function asCell({ median, spread }: Ratio): string {
  return `${median.toFixed(2)} (${spread.map((end) => end.toFixed(2)).join('–')})`
}

export function tableOfBars(bars: readonly Bar[]): Table {
  const rows = bars.map((bar) => {
    const { what, figure, atMost, atLeast } = bar
    const promise = atLeast === undefined ? `≤ ${atMost?.toFixed(2)}` : `≥ ${atLeast.toFixed(2)}`
    return [what, figure.toFixed(3), promise, isMet(bar) ? 'met' : 'MISSED']
  })
  return { title: 'Bars', head: ['what', 'measured', 'bar', ''], rows }
}

function isMet({ figure, atMost = Number.POSITIVE_INFINITY, atLeast = 0 }: Bar): boolean {
  return figure <= atMost && figure >= atLeast
}

export function machineLine(): string {
  const processors = cpus()
  const model = processors[0]?.model.trim() ?? 'an unknown processor'
  const date = new Date().toISOString().slice(0, 10)
  return `${date}, Node ${process.version}, ${model}, ${processors.length} cores, ${platform()} ${arch()}`
}

export function asText({ title, head, rows, note }: Table): string {
  const widths = head.map((name, column) => Math.max(...[name, ...rows.map((row) => row[column] ?? '')].map(widthOf)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 0 ? padEnd(cell, widths[column]) : padStart(cell, widths[column])))
      .join('  ')
  const body = rows.map((row) => highlighted(line(row)))
  return [colors.bold(title), colors.dim(line(head)), ...body, ...(note ? [colors.dim(note)] : [])].join('\n')
}

function highlighted(line: string): string {
  return line.endsWith('MISSED') ? colors.red(line) : line
}

export function asMarkdown({ title, head, rows, note }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = `|${head.map((_, column) => (column === 0 ? ' --- ' : ' ---: ')).join('|')}|`
  return [`**${title}**`, '', line(head), rule, ...rows.map(line), ...(note ? ['', note] : [])].join('\n')
}

/** Counts code points: each is one column wide in these tables. */
function widthOf(text: string): number {
  return [...text].length
}

function padEnd(text: string, width = 0): string {
  return text + ' '.repeat(width - widthOf(text))
}

function padStart(text: string, width = 0): string {
  return ' '.repeat(width - widthOf(text)) + text
}
