import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ASSETS } from '../../src/dashboard/assets.ts'

const SOURCES = readdirSync('src/dashboard/ui', { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .map((file) => [file, readFileSync(`src/dashboard/ui/${file}`, 'utf8')] as const)

describe("the dashboard's page", () => {
  it.each([
    ['script', 30_000],
    ['styles', 8000],
  ] as const)('has a %s of at most %d bytes, gzipped', (name, most) => {
    const size = gzipSync(ASSETS[name]).length
    expect(size).toBeGreaterThan(1000)
    expect(size).toBeLessThanOrEqual(most)
  })

  it.each(SOURCES)('never takes text as markup or code: %s', (_, source) => {
    expect(source).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|srcdoc/i)
  })

  it('has the pictures that its page of the docs shows', () => {
    const text = readFileSync('docs/dashboard.md', 'utf8')
    const shown = Array.from(text.matchAll(/(?:src|srcset)="([^"]+)"/g), ([, path]) => `docs/${path}`)
    const drawn = readdirSync('docs/images/dashboard').map((name) => `docs/images/dashboard/${name}`)
    expect(shown.toSorted()).toEqual(drawn.toSorted())
    expect(drawn.length).toBeGreaterThan(0)
  })

  it('asks no other host for anything', () => {
    const hosts = [...`${ASSETS.script}${ASSETS.styles}`.matchAll(/(?:https?:)?\/\/[\w.-]+\.[a-z]{2,}[^"'`\s)]*/g)]
    expect(hosts.map(([url]) => url).filter((url) => !url.startsWith('http://www.w3.org/'))).toEqual([])
  })
})
