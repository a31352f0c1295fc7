import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { installFixture } from '../../fixtures/install.ts'
import { describeUnless } from '../../unless.ts'
import { packPackage } from '../pack.ts'
import { COMPILERS, compile } from './compilers.ts'
import { addPackages, createProject, type Manager } from './projects.ts'

/** What shops have installed: of each peer, and of what used to be one, a major that our own tests do not use. */
const OLD_MAJORS = [
  '@commercelayer/js-auth@7',
  '@commercelayer/sdk@6',
  '@hono/node-server@1',
  '@opentelemetry/api@1.7',
  'better-sqlite3@11',
  'bullmq@5',
  'hono@4',
  'ioredis@5',
  'libsql@0.4',
  'pg@7',
]

const PROJECTS = [
  { kind: 'an empty project', present: [], others: ['@commercelayer/sdk', '@opentelemetry/api'] },
  { kind: 'a project with old majors of the peers', present: OLD_MAJORS, others: [] },
]

/** What is printed when nothing is wrong, but for yarn's note that no script was run, as it was told. */
const COMPLAINT = /warn(?!ing Ignored scripts)|\berror\b|eresolve|unmet|incorrect|invalid/i

/** A project takes half a minute of processor time. */
const TIMEOUT_MS = 280_000

/** Installs the tarball by a package manager, and compiles a shop in the project. */
export async function testInstalls(manager: Manager): Promise<void> {
  const missing = await installFixture('managers')
  for (const { kind, present, others } of PROJECTS) {
    describeUnless(missing)(`in ${kind}, ${manager}`, () => {
      let folder = ''
      let output: string

      beforeAll(async () => {
        ;({ folder, output } = await createProject(manager, present, others))
        const compilers = Object.entries(COMPILERS).map(([name, range]) => `${name}@npm:typescript@${range}`)
        await addPackages(manager, folder, [...compilers, '@types/node@20'])
        for (const extension of ['ts', 'mts', 'cts']) {
          cpSync('test/package/installs/typed/shop.ts', join(folder, `shop.${extension}`))
        }
      }, TIMEOUT_MS)

      afterAll(() => rmSync(folder, { recursive: true, force: true }))

      it('installs the tarball without a complaint', async () => {
        expect(output.split('\n').filter((line) => COMPLAINT.test(line))).toEqual([])
        const packed = readdirSync(join(await packPackage(), 'dist'))
        expect(readdirSync(join(folder, 'node_modules/hooklayer/dist')).sort()).toEqual(packed.sort())
      })

      it.each(Object.keys(COMPILERS))(
        'has types that are no `any` in each mode of %s',
        async (compiler) => {
          const { tried, errors } = await compile(folder, compiler)
          expect(errors).toEqual([])
          expect(tried).toBeGreaterThan(4)
        },
        TIMEOUT_MS,
      )
    })
  }
}
