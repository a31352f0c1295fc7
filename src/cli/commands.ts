import type { DefineCommand } from './command.ts'

export interface CommandEntry {
  /** One line of `hooklayer --help`. */
  readonly summary: string
  load(): Promise<{ readonly define: DefineCommand }>
}

/** All commands, in the order of `hooklayer --help`. A command's file is loaded only when it runs. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  init: {
    summary: 'writes a receiver, its test and its configuration into a project',
    load: () => import('./commands/init.ts'),
  },
  dev: {
    summary: 'starts a local Commerce Layer, and your receiver with its secrets',
    load: () => import('./commands/dev.ts'),
  },
  trigger: {
    summary: 'sends signed deliveries of a topic to a URL',
    load: () => import('./commands/trigger.ts'),
  },
  verify: {
    summary: 'says whether a signature matches a body, and if not, why',
    load: () => import('./commands/verify.ts'),
  },
  doctor: {
    summary: 'probes an endpoint, and says what is wrong with it',
    load: () => import('./commands/doctor.ts'),
  },
  listen: {
    summary: 'forwards the events of an organization to a receiver, without a tunnel',
    load: () => import('./commands/listen.ts'),
  },
  emulator: {
    summary: 'starts a local Commerce Layer alone',
    load: () => import('./commands/emulator.ts'),
  },
  webhooks: {
    summary: 'has plan, apply, list, reset and rotate for the webhooks of Commerce Layer',
    load: () => import('./commands/webhooks.ts'),
  },
  callbacks: {
    summary: 'shows the calls of webhooks and their answers, and handles their events again',
    load: () => import('./commands/callbacks.ts'),
  },
  recover: {
    summary: 'runs the handlers for events whose delivery has failed',
    load: () => import('./commands/recover.ts'),
  },
  health: {
    summary: 'shows the circuits of the webhooks, and how many calls fail',
    load: () => import('./commands/health.ts'),
  },
  inbox: {
    summary: 'looks into an inbox: what waits, what has failed; retries and discards dead letters',
    load: () => import('./commands/inbox.ts'),
  },
  completion: {
    summary: 'prints the script with which a shell completes commands, flags and topics',
    load: () => import('./commands/completion.ts'),
  },
}
