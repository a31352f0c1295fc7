import { warnOfUnknownTopic } from '../catalog.ts'
import { asUsage } from '../cli-error.ts'
import { type DefineCommand, describeExamples } from '../command.ts'
import { isThisMachine, toReceiverUrl } from '../confirm-host.ts'
import type { Examination } from '../doctor/examine.ts'
import { createOrders } from '../doctor/orders.ts'
import { countProbes, runProbes } from '../doctor/run-probes.ts'
import { type Output, paint, type Style } from '../output.ts'
import { addSecretOptions, readSecrets, type SecretFlags } from '../secrets.ts'

interface DoctorFlags extends SecretFlags {
  readonly topic: string
  readonly yes?: boolean
}

const STYLES: Readonly<Record<Examination['result'], Style>> = {
  ok: 'green',
  note: 'yellow',
  wrong: 'red',
  same: 'dim',
}

export const define: DefineCommand = (command, run) => {
  addSecretOptions(command.argument('<url>', 'the endpoint, such as http://127.0.0.1:3000/webhooks'))
    .option('--topic <topic>', 'the topic whose deliveries are sent', 'orders.place')
    .option('--yes', 'sends signed deliveries to other hosts than this one, too')
    .addHelpText(
      'after',
      describeExamples(
        ['An endpoint on this machine', 'doctor http://127.0.0.1:3000/webhooks --secret-env CL_SECRET_ORDERS__PLACE'],
        ['The test environment of a shop', 'doctor https://test.shop.example/webhooks --topic orders.place --yes'],
      ),
    )
    .action(
      run(async ({ output, signal }, flags: DoctorFlags, text: string) => {
        const url = toReceiverUrl(text, 'The endpoint')
        warnOfUnknownTopic(flags.topic, output)
        const [secret = ''] = await readSecrets(flags.topic, flags, signal)
        const genuine = isThisMachine(url.hostname) || flags.yes === true
        const orders = await asUsage(() => createOrders(flags.topic, secret))
        const progress = output.progress('Probed', countProbes(genuine))
        const found = await runProbes(url, { orders, genuine, signal, onProbe: progress.update }).finally(progress.end)
        return report(output, found, { url, genuine })
      }),
    )
}

interface Run {
  readonly url: URL
  readonly genuine: boolean
}

function report(output: Output, found: readonly Examination[], { url, genuine }: Run): 'OK' | 'FOUND_WRONG' {
  output.table(found, [
    { title: 'probe', read: ({ probe }) => probe },
    { title: 'came', read: ({ came }) => came },
    { title: 'ms', align: 'right', read: ({ durationMs }) => durationMs },
    { title: 'result', read: ({ result }) => result },
    { title: 'expected', read: ({ expected }) => expected },
  ])
  for (const one of found) if (one.means !== undefined) output.info(describe(one))
  const count = (result: Examination['result']) => found.filter((one) => one.result === result).length
  const same = count('same') > 0 ? `, ${count('same')} more in the same way` : ''
  output.info(`\n${found.length} probes: ${count('ok')} ok, ${count('wrong')} wrong${same}, ${count('note')} to note.`)
  if (genuine) output.info(WHAT_CANNOT_BE_SEEN)
  else output.warn(`No signed delivery was sent, because ${url.hostname} is not this machine: --yes sends them, too.`)
  return count('wrong') > 0 ? 'FOUND_WRONG' : 'OK'
}

const WHAT_CANNOT_BE_SEEN =
  'Answers do not show what was done. Look for the ids that begin with `doctor`: the work for each must be done once.'

function describe({ probe, result, came, sends, means, fix }: Examination): string {
  const title = paint(STYLES[result], `${probe} (${result})`)
  return `\n${title}: sent ${sends}, and got ${came}.\n  means: ${means}\n  fix:   ${fix}`
}
