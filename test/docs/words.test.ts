import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'

/** Words of a private language that the project had once. The field has words of its own for these things. */
const GONE = ['shelf', 'bell', 'journey', 'unhurried', 'walkOn', 'ledger', 'patience', 'misfortune', 'pretence']

/** Generated: an address of the SDK's examples asks to ring the bell. */
const GENERATED = ':!src/wire/sdk-examples.ts'

it('uses no word of the private language in the manual or the source', () => {
  const { stdout, stderr } = spawnSync(
    'git',
    ['grep', '--untracked', '-niwE', GONE.join('|'), '--', 'docs', 'src', GENERATED],
    {
      encoding: 'utf8',
    },
  )
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' })
})
