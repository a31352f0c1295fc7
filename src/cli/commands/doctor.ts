import { asUsage } from '../cli-error.ts'
import { type DefineCommand, describeExamples } from '../command.ts'
import { warnOfUnknownTopic } from '../configuration/catalog.ts'
import { checkKind, toHolderVariable } from '../configuration/external-resources.ts'
import { addSecretOptions, readSecrets, type SecretFlags } from '../configuration/secrets.ts'
import { DELIVERIES } from '../doctor/delivery-probes.ts'
import type { ProbeResult } from '../doctor/evaluate-probe.ts'
import { createSuite } from '../doctor/external-probes.ts'
import type { Suite } from '../doctor/probe.ts'
import { createDeliveryFixture, createRequestFixture, type ProbeFixture } from '../doctor/probe-fixture.ts'
import { countProbes, runProbes } from '../doctor/run-probes.ts'
import { isThisMachine, toReceiverUrl } from '../receiver/confirm-host.ts'
import { type Output, paint, type Style } from '../terminal/output.ts'

interface DoctorFlags extends SecretFlags {
  readonly topic: string
  readonly kind?: string
  readonly yes?: boolean
}

const STYLES: Readonly<Record<ProbeResult['result'], Style>> = {
  ok: 'green',
  note: 'yellow',
  wrong: 'red',
  same: 'dim',
}

export const define: DefineCommand = (command, run) => {
  addSecretOptions(command.argument('<url>', 'the endpoint, such as http://127.0.0.1:3000/webhooks'))
    .option('--topic <topic>', 'the topic whose deliveries are sent', 'orders.place')
    .option('--kind <kind>', 'probes a responder instead: prices, order-validation, shipping-cost, promotion or tax')
    .option('--yes', 'sends signed deliveries to other hosts than this one, too')
    .addHelpText(
      'after',
      describeExamples(
        ['An endpoint on this machine', 'doctor http://127.0.0.1:3000/webhooks --secret-env CL_SECRET_ORDERS__PLACE'],
        ['A responder of taxes', 'doctor http://127.0.0.1:3000/taxes --kind tax --secret-env CL_SECRET_TAX'],
        ['The test environment of a shop', 'doctor https://test.shop.example/webhooks --topic orders.place --yes'],
      ),
    )
    .action(
      run(async ({ output, signal }, flags: DoctorFlags, text: string) => {
        const url = toReceiverUrl(text, 'The endpoint')
        const genuine = isThisMachine(url.hostname) || flags.yes === true
        const { fixture, suite } = await asUsage(() => prepare(flags, output, signal))
        const progress = output.progress('Probed', countProbes(genuine, suite))
        const options = { fixture, suite, genuine, signal, onProbe: progress.update }
        const found = await runProbes(url, options).finally(progress.end)
        return report(output, found, { url, genuine, isAsked: flags.kind !== undefined })
      }),
    )
}

/** What is sent to a receiver, or to a responder with `--kind`. */
async function prepare(
  { topic, kind: name, ...secretFlags }: DoctorFlags,
  output: Output,
  signal: AbortSignal,
): Promise<{ readonly fixture: ProbeFixture; readonly suite: Suite }> {
  if (name === undefined) {
    warnOfUnknownTopic(topic, output)
    const [secret = ''] = await readSecrets(topic, secretFlags, signal)
    return { fixture: createDeliveryFixture(topic, secret), suite: DELIVERIES }
  }
  const kind = checkKind(name, '--kind')
  const isGiven = secretFlags.secret !== undefined || secretFlags.secretEnv !== undefined
  const flags = isGiven ? secretFlags : { secretEnv: toHolderVariable(kind) }
  const [secret = ''] = await readSecrets(topic, flags, signal)
  return { fixture: createRequestFixture(kind, secret), suite: createSuite(kind) }
}

interface Run {
  readonly url: URL
  readonly genuine: boolean
  /** Whether it is a responder. */
  readonly isAsked: boolean
}

function report(output: Output, found: readonly ProbeResult[], { url, genuine, isAsked }: Run): 'OK' | 'FOUND_WRONG' {
  output.table(found, [
    { title: 'probe', read: ({ probe }) => probe },
    { title: 'came', read: ({ came }) => came },
    { title: 'ms', align: 'right', read: ({ durationMs }) => durationMs },
    { title: 'result', read: ({ result }) => result },
    { title: 'expected', read: ({ expected }) => expected },
  ])
  for (const one of found) if (one.means !== undefined) output.info(describe(one))
  const count = (result: ProbeResult['result']) => found.filter((one) => one.result === result).length
  const same = count('same') > 0 ? `, ${count('same')} more in the same way` : ''
  output.info(`\n${found.length} probes: ${count('ok')} ok, ${count('wrong')} wrong${same}, ${count('note')} to note.`)
  if (genuine) output.info(isAsked ? WHAT_IS_NOT_COMPARED : WHAT_CANNOT_BE_SEEN)
  else output.warn(`No signed delivery was sent, because ${url.hostname} is not this machine: --yes sends them, too.`)
  return count('wrong') > 0 ? 'FOUND_WRONG' : 'OK'
}

const WHAT_CANNOT_BE_SEEN =
  'Answers do not show what was done. Look for the ids that begin with `doctor`: the work for each must be done once.'

const WHAT_IS_NOT_COMPARED =
  'The form of answers was checked, and not their amounts: `hooklayer dev --ask` compares those with the request.'

function describe({ probe, result, came, sends, means, fix }: ProbeResult): string {
  const title = paint(STYLES[result], `${probe} (${result})`)
  return `\n${title}: sent ${sends}, and got ${came}.\n  means: ${means}\n  fix:   ${fix}`
}
