import type { DefineCommand } from './command.ts'

interface CommandEntry {
  /** One line of `hooklayer --help`. */
  readonly summary: string
  load(): Promise<{ readonly define: DefineCommand }>
}

/** All commands, in the order of `hooklayer --help`. A command's file is loaded only when it runs. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  dev: {
    summary: 'starts a local Commerce Layer, and your receiver with its secrets',
    load: () => import('./commands/dev.ts'),
  },
  emulator: {
    summary: 'starts a local Commerce Layer alone',
    load: () => import('./commands/emulator.ts'),
  },
  trigger: {
    summary: 'sends signed deliveries of a topic to a URL',
    load: () => import('./commands/trigger.ts'),
  },
  verify: {
    summary: 'says whether a signature matches a body, and if not, why',
    load: () => import('./commands/verify.ts'),
  },
}
