import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>
  readonly strategy?: { readonly matrix: { readonly node: readonly string[] } }
  readonly steps: readonly Step[]
}

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

const WORKFLOWS = readdirSync('.github/workflows')
const MANIFEST = JSON.parse(readFileSync('package.json', 'utf8'))

describe.each(WORKFLOWS)('the workflow %s', (file) => {
  const workflow = readYaml<Workflow>(join('.github/workflows', file))
  const jobs = Object.values(workflow.jobs)
  const steps = jobs.flatMap((job) => job.steps)

  it('pins each action to a major version', () => {
    const actions = steps.flatMap(({ uses }) => uses ?? [])
    expect(actions.length).toBeGreaterThan(0)
    expect(actions.filter((action) => !/^[\w-]+\/[\w-]+@v\d+$/.test(action))).toEqual([])
  })

  it('runs scripts that exist', () => {
    const commands = steps.flatMap((step) => [step.run, step.with?.version, step.with?.publish]).filter(isText)
    const scripts = commands.flatMap((command) => Array.from(command.matchAll(/npm run ([\w:]+)/g), ([, name]) => name))
    expect(scripts.filter((name) => !(String(name) in MANIFEST.scripts))).toEqual([])
    const programs = commands.flatMap((command) => Array.from(command.matchAll(/(?<!\S)\.[\w/.-]+/g), ([path]) => path))
    for (const program of programs) expect(() => accessSync(program, constants.X_OK)).not.toThrow()
    expect(scripts.length + programs.length).toBeGreaterThan(0)
  })

  it('may only read, unless a job asks for more', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' })
  })
})

describe('continuous integration', () => {
  it('runs .ci/run on each Node that is supported, from the oldest on', () => {
    const [job] = Object.values(readYaml<Workflow>('.github/workflows/ci.yml').jobs)
    expect(job?.steps.map(({ run }) => run)).toContain('.ci/run')
    expect(job?.strategy?.matrix.node).toEqual([readVersionOfNode(), '22', '24'])
  })

  it('starts at the version of Node that package.json asks for', () => {
    expect(MANIFEST.engines.node).toBe(`>=${readVersionOfNode()}`)
  })
})

describe('a release', () => {
  const [job] = Object.values(readYaml<Workflow>('.github/workflows/release.yml').jobs)

  it('is published with provenance, without a stored token', () => {
    expect(job?.permissions).toMatchObject({ 'id-token': 'write' })
    expect(MANIFEST.publishConfig).toEqual({ access: 'public', provenance: true })
    expect(readFileSync('.github/workflows/release.yml', 'utf8')).not.toContain('NPM_TOKEN')
  })

  it('comes from the repository that package.json names', () => {
    expect(MANIFEST.repository).toEqual({ type: 'git', url: 'git+https://github.com/hooklayer/hooklayer.git' })
    expect(MANIFEST.bugs.url).toBe('https://github.com/hooklayer/hooklayer/issues')
  })

  it('is described by changesets of this package', () => {
    const config = JSON.parse(readFileSync('.changeset/config.json', 'utf8'))
    expect(config).toMatchObject({ access: 'public', baseBranch: 'main' })
    const changesets = readdirSync('.changeset').filter((file) => file.endsWith('.md') && file !== 'README.md')
    for (const file of changesets) {
      const [, header = '', text = ''] = readFileSync(join('.changeset', file), 'utf8').split(/^---$/m)
      const [[name, kind] = []] = Object.entries(parse(header) as Record<string, string>)
      expect(name).toBe(MANIFEST.name)
      expect(['major', 'minor', 'patch']).toContain(kind)
      expect(text.trim()).not.toBe('')
    }
  })
})

describe('a form for issues', () => {
  const forms = readdirSync('.github/ISSUE_TEMPLATE').filter((file) => file !== 'config.yml')

  it.each(forms)('%s has a name, a description and fields with names of their own', (file) => {
    const form = readYaml<{ name: string; description: string; body: { id?: string }[] }>(
      join('.github/ISSUE_TEMPLATE', file),
    )
    expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) })
    const ids = form.body.flatMap(({ id }) => id ?? [])
    expect(ids.length).toBeGreaterThan(0)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('sends security problems to the private report that SECURITY.md names', () => {
    const { contact_links } = readYaml<{ contact_links: { url: string }[] }>('.github/ISSUE_TEMPLATE/config.yml')
    const url = contact_links[0]?.url ?? ''
    expect(url).toMatch(/^https:\/\/github\.com\/hooklayer\/hooklayer\/security\//)
    for (const file of ['SECURITY.md', 'CODE_OF_CONDUCT.md']) expect(readFileSync(file, 'utf8')).toContain(url)
  })
})

it('a pull request has a template', () => {
  expect(existsSync('.github/PULL_REQUEST_TEMPLATE.md')).toBe(true)
})

function readYaml<T>(path: string): T {
  return parse(readFileSync(path, 'utf8')) as T
}

function readVersionOfNode(): string {
  return readFileSync('.nvmrc', 'utf8').trim()
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
