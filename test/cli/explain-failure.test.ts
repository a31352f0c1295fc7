import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createEmulator } from 'hooklayer/emulator'
import { createManagement } from 'hooklayer/management'
import { expect, it, onTestFinished } from 'vitest'
import { CliError } from '../../src/cli/cli-error.ts'
import { explainFailure } from '../../src/cli/explain-failure.ts'
import { listen } from '../contracts/adapter/listen.ts'
import { buildPackage } from './build.ts'

async function failureOf(work: () => unknown): Promise<ReturnType<typeof explainFailure>> {
  try {
    await work()
  } catch (error) {
    return explainFailure(error)
  }
  throw new Error('It did not fail.')
}

it('a server that is not there is unreachable', async () => {
  expect(await failureOf(() => fetch('http://127.0.0.1:2/'))).toEqual({
    exit: 'UNREACHABLE',
    message: 'Nothing listens there: connect ECONNREFUSED 127.0.0.1:2',
  })
  const { url, close } = await listen((request) => request.socket.destroy(), '/')
  onTestFinished(close)
  expect(await failureOf(() => fetch(url))).toMatchObject({ exit: 'UNREACHABLE' })
})

it('an API that is not there is unreachable, and credentials that it does not accept are refused', async () => {
  const credentials = { organization: 'my-org', clientId: 'me', clientSecret: 'wrong', retries: 0 }
  const gone = createManagement({ ...credentials, url: 'http://127.0.0.1:2' })
  expect(await failureOf(() => gone.health())).toMatchObject({ exit: 'UNREACHABLE' })
  const emulator = await createEmulator({ clientId: 'me', clientSecret: 'hush' })
  onTestFinished(() => emulator.close())
  const wrong = createManagement({ ...credentials, url: emulator.url })
  const failure = await failureOf(() => wrong.health())
  expect(failure).toMatchObject({ exit: 'REFUSED' })
  expect(failure.message).not.toContain('wrong')
})

it('a port in use is a matter of the configuration', async () => {
  const { url, close } = await listen((_, response) => response.end(), '/')
  onTestFinished(close)
  const listenAgain = () =>
    new Promise((_, reject) =>
      createServer()
        .once('error', reject)
        .listen(Number(new URL(url).port), '127.0.0.1'),
    )
  expect(await failureOf(listenAgain)).toMatchObject({ exit: 'CONFIGURATION' })
})

it('the first cause that is known decides', () => {
  const cause = new CliError('LIMIT', 'Too much.')
  expect(explainFailure(new Error('outer', { cause: new Error('middle', { cause }) }))).toEqual({
    exit: 'LIMIT',
    message: 'Too much.',
  })
  expect(explainFailure('text')).toEqual({ exit: 'FOUND_WRONG', message: 'Unexpected: text (--verbose prints where.)' })
})

it('a full disk is a limit, in one line', async () => {
  const program = join(await buildPackage(), 'dist/cli.js')
  const flags = '--topic a.b --secret s --signature x --json'
  const { status, stderr } = spawnSync('sh', [
    '-c',
    `echo {} | ${process.execPath} ${program} verify ${flags} > /dev/full`,
  ])
  expect({ status, stderr: String(stderr) }).toEqual({
    status: 6,
    stderr: expect.stringMatching(/^The disk is full: .*\n$/),
  })
})
