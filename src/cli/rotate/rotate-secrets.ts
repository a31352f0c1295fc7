import type { Webhook } from '@commercelayer/sdk'
import { InvalidArgumentError } from 'commander'
import type { Management } from 'hooklayer/management'
import type { CommandContext } from '../command.ts'
import { maskSecret, toVariable } from '../configuration/secrets.ts'
import { writeVariables } from '../configuration/write-variables.ts'
import {
  type BegunRotation,
  checkReceiver,
  createNext,
  type Rotation,
  replaceOld,
  retriggerLost,
  switchWebhooks,
  type WaitOptions,
  waitForRetries,
  waitForSecrets,
} from './rotation.ts'

export interface RotateFlags {
  readonly showSecrets?: boolean
  /** A file that gets both secrets of each topic. */
  readonly writeEnv?: string
  /** Ends when the second webhooks are made. */
  readonly prepare?: boolean
  readonly probes: number
  readonly timeout: number
}

/**
 * Replaces webhooks by second ones with secrets of their own, without a delivery that is refused or lost: makes them
 * disabled, waits until the receiver has both secrets, enables them, and deletes the first ones.
 */
export async function rotateSecrets(
  context: CommandContext,
  management: Management,
  rotations: readonly Rotation[],
  flags: RotateFlags,
): Promise<void> {
  const { signal } = context
  for (const rotation of rotations) await checkReceiver(rotation, signal)
  const made: Webhook[] = []
  try {
    const begun: BegunRotation[] = []
    for (const rotation of rotations) {
      const next = rotation.next ?? (await createNext(management, rotation.old, signal))
      if (!rotation.next) made.push(next)
      begun.push({ ...rotation, next })
    }
    await giveSecrets(context, begun, flags)
    if (flags.prepare) return context.output.info('Run it again without --prepare once the receiver has both secrets.')
    await switchOver(context, management, begun, flags, made)
  } catch (error) {
    if (signal.aborted) await deleteMade(context, management, made)
    throw error
  }
}

/** The person who deploys the receiver, or a file that it reads, gets both secrets. */
async function giveSecrets(
  { output }: CommandContext,
  rotations: readonly BegunRotation[],
  flags: RotateFlags,
): Promise<void> {
  const variables = rotations.map(
    ({ topic, old, next }) => [toVariable(topic), `${next.shared_secret},${old.shared_secret}`] as const,
  )
  if (flags.writeEnv !== undefined) await writeVariables(flags.writeEnv, Object.fromEntries(variables))
  for (const [i, [variable, secrets]] of variables.entries()) {
    const { topic, next } = rotations[i] as BegunRotation
    const value = maskSecret(secrets, flags)
    output.result(
      { step: 'created', topic, webhookId: next.id, variable, value },
      `${topic}: the second webhook is ${next.id}. Give the receiver both secrets: ${variable}=${value}`,
    )
  }
  if (flags.writeEnv !== undefined) output.info(`${flags.writeEnv} has both secrets now.`)
  else if (!flags.showSecrets) {
    output.info(
      '--show-secrets prints them, and --write-env writes them to a file. `management.secrets` reads them itself.',
    )
  }
}

async function switchOver(
  { output, signal }: CommandContext,
  management: Management,
  rotations: readonly BegunRotation[],
  flags: RotateFlags,
  made: Webhook[],
): Promise<void> {
  const progress = output.progress('Seconds waited:')
  const startedAt = performance.now()
  let said = ''
  const onMissing = (missing: string) => {
    if (missing !== said) output.info(`Waiting. ${missing}`)
    said = missing
    progress.update(Math.round((performance.now() - startedAt) / 1000))
  }
  const options: WaitOptions = { probes: flags.probes, timeoutMs: flags.timeout, onMissing, signal }
  try {
    const open = rotations.filter((rotation) => !isSwitched(rotation))
    for (const rotation of open) {
      await waitForSecrets(rotation, options)
      tell('accepted', rotation, 'The receiver has both secrets.')
    }
    for (const rotation of open) {
      if (rotation.next.disabled_at) await waitForRetries(management, rotation, options)
    }
    made.length = 0 // From here on they deliver, and stay.
    const switched = rotations.filter(isSwitched)
    for (const rotation of open) {
      switched.push(await switchWebhooks(management, rotation, signal))
      tell('enabled', rotation, `${rotation.next.id} delivers in place of ${rotation.old.id}.`)
    }
    for (const rotation of switched) {
      const lost = await retriggerLost(management, rotation, signal)
      if (lost > 0)
        output.info(`${rotation.topic}: ${lost} events that ${rotation.old.id} did not deliver are sent again.`)
      await replaceOld(management, rotation, signal)
      tell('deleted', rotation, `${rotation.old.id} is deleted. Its secret is not used any more: remove it.`)
    }
  } finally {
    progress.end()
  }

  function tell(step: string, { topic, old, next }: BegunRotation, text: string): void {
    const webhookId = step === 'deleted' ? old.id : next.id
    output.result({ step, topic, webhookId }, `${topic}: ${text}`)
  }
}

/** Whether an earlier run has switched from the old webhook to the second one. */
function isSwitched({ old, next }: BegunRotation): boolean {
  return Boolean(old.disabled_at) && !next.disabled_at
}

async function deleteMade({ output }: CommandContext, management: Management, made: readonly Webhook[]): Promise<void> {
  for (const { id } of made) await management.webhooks.delete(id)
  if (made.length > 0) output.warn('The second webhook is deleted again: nothing has changed.')
}

/** The parser of `--probes`. */
export function toProbes(text: string): number {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count > 0 && count <= 1000) return count
  throw new InvalidArgumentError('It must be a whole number from 1 to 1000.')
}
