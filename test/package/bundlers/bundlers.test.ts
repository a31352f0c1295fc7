import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { installFixture } from '../../fixtures/install.ts'
import { describeUnless, itUnless } from '../../unless.ts'
import { createProject } from '../installs/projects.ts'
import { BUNDLERS } from './bundlers.ts'

const missing = await installFixture('bundlers')

const SQLITE = process.getBuiltinModule('node:sqlite' as 'node:fs') ? 'opened' : 'There is no SQLite driver'

/** What is installed beside the package, and what the inboxes of each engine say then. */
const DRIVERS = [
  {
    drivers: ['bullmq', 'ioredis'],
    said: { redis: /ECONNREFUSED/, postgres: /needs pg: npm install pg/, sqlite: SQLITE },
  },
  {
    drivers: ['bullmq', 'pg'],
    said: { redis: /needs ioredis: npm install ioredis/, postgres: /ECONNREFUSED/, sqlite: SQLITE },
  },
  { drivers: ['libsql'], said: { redis: /needs bullmq/, postgres: /needs bullmq/, sqlite: 'opened' } },
  {
    drivers: ['bullmq@5', 'ioredis@5'],
    said: { redis: /bullmq 6.3 or later/, postgres: /bullmq 6.3 or later/, sqlite: SQLITE },
  },
]

for (const { drivers, said } of DRIVERS) {
  describeUnless(missing)(`where only ${drivers.join(' and ')} can be loaded`, () => {
    let folder = ''

    beforeAll(async () => {
      ;({ folder } = await createProject('npm', [], ['@commercelayer/sdk', ...drivers]))
      cpSync('test/package/bundlers/shop.mjs', join(folder, 'shop.mjs'))
    }, 280_000)

    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    async function run(file: string): Promise<unknown> {
      const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder })
      return JSON.parse(stdout)
    }

    const expected = {
      redis: expect.stringMatching(said.redis),
      postgres: expect.stringMatching(said.postgres),
      sqlite: expect.stringMatching(said.sqlite),
    }

    it('Node says which driver is missing, and which works', async () => {
      expect(await run('shop.mjs')).toMatchObject(expected)
    }, 60_000)

    it.each(Object.entries(BUNDLERS))(
      '%s does not fail on those that are missing',
      async (name, bundle) => {
        const outFile = join(folder, name, 'bundle.cjs')
        mkdirSync(join(folder, name))
        await bundle(join(folder, 'shop.mjs'), outFile)
        expect(await run(outFile)).toMatchObject(expected)
      },
      120_000,
    )

    const otherDriver = SQLITE === 'opened' ? 'Node has a driver of its own' : undefined
    itUnless(drivers.includes('libsql') ? otherDriver : 'libsql is not installed')(
      'a driver without its binary is not taken for one that is missing',
      async () => {
        rmSync(join(folder, 'node_modules/@libsql'), { recursive: true })
        const sqlite = expect.stringMatching(/^The SQLite driver libsql is installed.+ \| Cannot find module '@libsql/)
        expect(await run('shop.mjs')).toMatchObject({ sqlite })
      },
    )
  })
}
