import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PAGES, readProse } from './pages.ts'

/** What npm does without a script of that name. */
const NPM_COMMANDS = ['ci', 'install', 'i', 'pack', 'publish', 'init']

describe.each(PAGES)('%s', (page) => {
  const text = readFileSync(page, 'utf8')

  it('links to pages, files and headings that exist', () => {
    const links = Array.from(readProse(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g), ([, link]) => link ?? '')
    expect(links.filter((link) => !leadsSomewhere(page, link))).toEqual([])
  })

  it('names files and folders that exist', () => {
    const paths = Array.from(text.matchAll(/`((?:src|test|examples|docs|\.ci)\/[\w./*-]+)`/g), ([, path]) => path ?? '')
    expect(paths.filter((path) => !existsSync(path.replace(/\/?\*.*$/, '')))).toEqual([])
  })

  it('names npm scripts that exist', () => {
    const own = join(dirname(page), 'package.json')
    const file = existsSync(own) ? own : 'package.json'
    const { scripts } = JSON.parse(readFileSync(file, 'utf8')) as { scripts: Record<string, string> }
    const named = Array.from(text.matchAll(/(?<!-- )\bnpm (?:run )?(?!run\b)([\w:]+)/g), ([, script]) => script ?? '')
    expect(named.filter((script) => !(script in scripts || NPM_COMMANDS.includes(script)))).toEqual([])
  })
})

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : normalize(join(dirname(page), path))
  if (!existsSync(target)) return false
  return anchor === undefined || (statSync(target).isFile() && findAnchors(target).includes(anchor))
}

/** The anchors that GitHub gives to the headings of a page. */
function findAnchors(page: string): string[] {
  const seen = new Map<string, number>()
  return Array.from(readProse(page).matchAll(/^#+ +(.+)$/gm), ([, heading = '']) => {
    const slug = heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-')
    const count = seen.get(slug) ?? 0
    seen.set(slug, count + 1)
    return count === 0 ? slug : `${slug}-${count}`
  })
}
