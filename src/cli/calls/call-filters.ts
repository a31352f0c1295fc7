import { type Command, Option } from 'commander'
import type { EventCallbackQuery } from 'hooklayer/management'
import { parseMoment } from '../terminal/moment.ts'

export interface CallFilterFlags {
  readonly topic?: string
  readonly webhook?: string
  readonly since?: string
  readonly until?: string
  readonly outcome?: 'failed' | 'succeeded' | 'pending'
  readonly failed?: boolean
}

/** The flags that narrow event callbacks. {@link readCallFilters} reads them. */
export function addCallFilters(command: Command): Command {
  return command
    .option('--topic <topic>', 'those of webhooks that have this topic now')
    .option('--webhook <id>', 'those of one webhook')
    .option('--since <time>', 'since then: 2h, or 2026-11-20T14:00:00Z')
    .option('--until <time>', 'before then')
    .addOption(
      new Option('--outcome <outcome>', 'how they were answered; pending: not at all').choices([
        'failed',
        'succeeded',
        'pending',
      ]),
    )
    .option('--failed', 'the same as --outcome failed')
}

/** The query of the flags. Members without a flag are `undefined`. */
export function readCallFilters(flags: CallFilterFlags): EventCallbackQuery {
  const { topic, webhook, since, until, outcome, failed = false } = flags
  return {
    topic,
    webhookId: webhook,
    since: since === undefined ? undefined : parseMoment(since, '--since'),
    until: until === undefined ? undefined : parseMoment(until, '--until'),
    outcome: outcome ?? (failed ? 'failed' : undefined),
  }
}
