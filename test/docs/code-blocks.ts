import { readFileSync } from 'node:fs'

export interface CodeBlock {
  readonly language: string
  /** The rest of the opening line, after the language. */
  readonly title: string
  readonly code: string
  readonly line: number
}

/** The fenced code blocks of a Markdown file, in order. */
export function parseCodeBlocks(file: string): CodeBlock[] {
  const text = readFileSync(file, 'utf8')
  return Array.from(text.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm), (match) => {
    const [, language = '', title = '', code = ''] = match
    return { language, title, code, line: text.slice(0, match.index).split('\n').length }
  })
}
