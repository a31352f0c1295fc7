import { createDelivery, sign } from 'hooklayer/testing'
import { describe, expect, it } from 'vitest'
import { runCli, runInTerminal } from './run-cli.ts'

const SECRET = '0123456789abcdef0123456789abcdef'
const OTHER = 'fedcba9876543210fedcba9876543210'
const { body, headers } = await createDelivery('orders.place', { secret: SECRET })
const signature = String(headers['X-CommerceLayer-Signature'] ?? headers['x-commercelayer-signature'])
const FLAGS = ['verify', '--topic', 'orders.place', '--signature', signature]

describe('hooklayer verify', () => {
  it('says true, and exits with 0', async () => {
    const { exit, stdout, stderr } = await runCli([...FLAGS, '--secret', SECRET], { stdin: body })
    expect({ exit, stdout, stderr }).toEqual({
      exit: 0,
      stdout: '',
      stderr: `true: the signature matches the ${body.length} bytes.\n`,
    })
  })

  it('says why not, where the first byte differs, and exits with 1', async () => {
    const parsed = JSON.stringify(JSON.parse(new TextDecoder().decode(body)))
    const offset = Buffer.from(body).findIndex((byte, i) => byte !== Buffer.from(parsed)[i])
    const { exit, stderr } = await runCli([...FLAGS, '--secret', SECRET, '--body', 'order.json'], {
      files: { 'order.json': parsed },
    })
    expect({ exit, stderr }).toEqual({
      exit: 1,
      stderr:
        'false: The body was parsed and serialized again, without the `.0` of its floats: pass the bytes as received. ' +
        `The first byte that differs is at offset ${offset}.\n`,
    })
  })

  it('prints one object with --json', async () => {
    const { exit, stderr, objects } = await runCli([...FLAGS, '--secret', SECRET, '--json'], {
      stdin: `${String(body)}`,
    })
    expect({ exit, stderr }).toEqual({ exit: 1, stderr: '' })
    expect(objects()).toEqual([
      {
        topic: 'orders.place',
        matches: false,
        bytes: String(body).length,
        reason: 'The reason is not known: another secret, changed bytes, or a forgery.',
      },
    ])
  })

  it('takes the secret from a variable, from stdin, and from the variable of the topic in .env', async () => {
    const files = { 'order.json': new TextDecoder().decode(body), '.env': `CL_SECRET_ORDERS__PLACE=${SECRET}\n` }
    const flags = [...FLAGS, '--body', 'order.json']
    expect(await runCli([...flags, '--secret-env', 'MINE'], { files, env: { MINE: SECRET } })).toMatchObject({
      exit: 0,
    })
    expect(await runCli([...flags, '--secret', '-'], { files, stdin: `${SECRET}\n` })).toMatchObject({ exit: 0 })
    expect(await runCli(flags, { files })).toMatchObject({ exit: 0 })
    expect(await runCli(flags, { files, env: { CL_SECRET_ORDERS__PLACE: OTHER } })).toMatchObject({ exit: 1 })
  })

  it('names a mix-up with another topic, whose secret is in the environment', async () => {
    const { exit, stderr } = await runCli([...FLAGS, '--secret', OTHER], {
      stdin: body,
      env: { CL_SECRET_ORDERS__PAY: SECRET },
    })
    expect({ exit, stderr }).toEqual({
      exit: 1,
      stderr: 'false: It was signed with the secret of another topic: a mix-up, or a replay.\n',
    })
  })

  it('examines what a receiver does not: bodies over 512 KB', async () => {
    const large = `{"a_float":1.0,"b":"${'x'.repeat(600_000)}"}`
    const flags = ['verify', '--topic', 'orders.place', '--secret', SECRET, '--signature', await sign(large, SECRET)]
    const { stderr } = await runCli(flags, { stdin: large.replace('1.0', '1') })
    expect(stderr).toContain('The first byte that differs is at offset 12.')
  })

  it('is green and red in a terminal only, and not with NO_COLOR', async () => {
    const files = { 'order.json': new TextDecoder().decode(body) }
    const flags = [...FLAGS, '--secret', SECRET, '--body', 'order.json']
    expect((await runInTerminal(flags, { files })).stdout).toContain('\u001b[32mtrue\u001b[39m: ')
    expect((await runInTerminal(flags, { files, env: { NO_COLOR: '1' } })).stdout).toMatch(/^true: /)
    expect((await runInTerminal([...FLAGS, '--secret', SECRET])).stdout).toContain('Use --body FILE, or pipe it in.')
  })

  it.each([
    [[], 'The flag --topic <topic> is missing. See --help.'],
    [['--topc', 'x'], "Unknown option '--topc'. Did you mean --topic? See --help."],
    [[...FLAGS.slice(1), '--secret', SECRET, '--body', 'none.json'], '--body: there is no file none.json.'],
    [
      [...FLAGS.slice(1), '--secret', '-'],
      'Both the secret and the body would come from stdin: name a file with --body.',
    ],
    [[...FLAGS.slice(1)], 'There is no secret: pass --secret or --secret-env, or set CL_SECRET_ORDERS__PLACE.'],
    [[...FLAGS.slice(1), '--secret', SECRET, '--secret-env', 'A'], 'Give --secret or --secret-env, and not both.'],
  ])('refuses %j in one line, with 2', async (flags, line) => {
    const { exit, stdout, stderr } = await runCli(['verify', ...flags])
    expect({ exit, stdout, stderr }).toEqual({ exit: 2, stdout: '', stderr: `${line}\n` })
  })

  it('never prints the secret', async () => {
    const runs = await Promise.all([
      runCli([...FLAGS, '--secret', SECRET, '--verbose'], { stdin: 'x' }),
      runCli([...FLAGS, '--secret', SECRET, '--verbose', '--frob'], { stdin: 'x' }),
      runCli([...FLAGS, '--secret', SECRET, '--verbose', '--body', 'nowhere']),
    ])
    for (const { stdout, stderr } of runs) expect(stdout + stderr).not.toContain(SECRET)
  })
})
