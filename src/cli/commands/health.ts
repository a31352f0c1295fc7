import type { WebhookHealth } from 'hooklayer/management'
import { type DefineCommand, describeExamples } from '../command.ts'
import { connectApi } from '../configuration/connect-api.ts'
import { addConfigOption, type ConfigFlags, findConfig } from '../configuration/load-config.ts'
import { escapeText, paint } from '../terminal/output.ts'

interface HealthFlags extends ConfigFlags {
  readonly topic?: string
  readonly callbackUrl?: string
}

/** So few failures left are something wrong: 20 of 30 in a row. */
const FEW_LEFT = 10

export const define: DefineCommand = (command, run) => {
  addConfigOption(command.option('--topic <topic>', 'webhooks of this topic only'))
    .option('--callback-url <url>', 'webhooks that call this URL only')
    .addHelpText(
      'after',
      describeExamples(
        ['All webhooks', 'health'],
        ['For a monitor: the exit code is 1 when a circuit is open or nearly', 'health --json'],
      ),
    )
    .action(
      run(async ({ output, signal }, flags: HealthFlags) => {
        const api = connectApi(await findConfig(flags))
        const progress = output.progress('Asking for the webhooks')
        progress.update(0)
        const all = await api.health({ signal }).finally(() => progress.end())
        const { topic, callbackUrl } = flags
        const found = all.filter(
          (one) => (topic ?? one.topic) === one.topic && (callbackUrl ?? one.callbackUrl) === one.callbackUrl,
        )
        if (found.length === 0) output.info('There is no such webhook.')
        else {
          output.table(found, [
            { title: 'topic', read: (one) => one.topic },
            { title: 'circuit', read: describeCircuit },
            { title: 'failures', align: 'right', read: ({ failures }) => failures },
            { title: 'left', align: 'right', read: ({ failuresLeft }) => failuresLeft },
            { title: 'calls/h', align: 'right', read: ({ failedLastHour }) => failedLastHour.calls },
            {
              title: 'failed',
              align: 'right',
              read: ({ failedLastHour }) => `${Math.round(failedLastHour.share * 100)} %`,
            },
            { title: 'url', read: (one) => one.callbackUrl },
          ])
        }
        const wrong = found.filter(isWrong)
        for (const one of wrong) output.info(describeProblem(one))
        return wrong.length > 0 ? 'FOUND_WRONG' : 'OK'
      }),
    )
}

function isWrong({ circuit, failuresLeft, disabled }: WebhookHealth): boolean {
  return !disabled && (circuit === 'open' || failuresLeft <= FEW_LEFT)
}

function describeCircuit({ circuit, disabled }: WebhookHealth): string {
  return disabled ? `${circuit}, disabled` : circuit
}

function describeProblem({ topic, circuit, failuresLeft }: WebhookHealth): string {
  const problem =
    circuit === 'open'
      ? 'its circuit is open, and nothing is sent. Fix the cause, then run `hooklayer recover --reset-circuits`.'
      : `${failuresLeft} more failures open its circuit.`
  return paint('red', escapeText(`${topic}: ${problem}`))
}
