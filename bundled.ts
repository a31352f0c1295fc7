/**
 * Finishes what tsup has built from packages of others: `dist/LICENSES.txt` has their licenses, and no source map names
 * their sources, which the package does not have. A file that is of others alone has no map.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

interface SourceMap {
  sources: (string | null)[]
}

/** Preact is in the script of the dashboard's page, which is a text in its module. */
const bundled = new Set(['preact'])
for (const file of readdirSync('dist').filter((name) => name.endsWith('.js.map') || name.endsWith('.cjs.map'))) {
  const map = JSON.parse(readFileSync(`dist/${file}`, 'utf8')) as SourceMap
  const sources = map.sources.map((source) => {
    const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source ?? '') ?? []
    if (name) bundled.add(name)
    return name ? null : source
  })
  const isOfOthers = sources.length > 0 && sources.every((source) => source === null)
  if (isOfOthers) dropMap(file)
  else writeFileSync(`dist/${file}`, JSON.stringify({ ...map, sources }))
}

function dropMap(file: string): void {
  const code = `dist/${file.slice(0, -'.map'.length)}`
  writeFileSync(code, readFileSync(code, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'))
  rmSync(`dist/${file}`)
}

const licenses = [...bundled].sort().map((name) => {
  const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'))
  const file = readdirSync(`node_modules/${name}`).find((one) => /^licen[cs]e/i.test(one))
  if (!file) throw new Error(`${name} has no license that could be shipped with it.`)
  return `${name} ${version} (${license})\n\n${readFileSync(`node_modules/${name}/${file}`, 'utf8').trim()}\n`
})
writeFileSync('dist/LICENSES.txt', licenses.join(`\n${'-'.repeat(80)}\n\n`))
