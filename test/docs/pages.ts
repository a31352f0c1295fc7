import { readdirSync, readFileSync } from 'node:fs'

/** Every Markdown page that people read, as a path from the root of the repository. */
export const PAGES: readonly string[] = [
  ...listMarkdown('.'),
  ...listMarkdown('docs', { recursive: true }),
  ...readdirSync('examples').flatMap((name) => listMarkdown(`examples/${name}`)),
]

/** The README and the pages of the manual. */
export const MANUAL: readonly string[] = PAGES.filter((page) => page === 'README.md' || page.startsWith('docs/'))

function listMarkdown(folder: string, options: { readonly recursive?: boolean } = {}): string[] {
  const names = readdirSync(folder, options).map(String)
  const pages = names.filter((name) => name.endsWith('.md')).sort()
  return pages.map((name) => (folder === '.' ? name : `${folder}/${name}`))
}

/** The text of a page without its fenced code. */
export function readProse(page: string): string {
  return readFileSync(page, 'utf8').replace(/^( *)```.*\n[\s\S]*?^ *```$/gm, '')
}
