/** The exit codes of all commands. `docs/cli.md` has the same table. */
export const EXIT_CODES = {
  OK: { code: 0, meaning: 'All is fine.' },
  FOUND_WRONG: { code: 1, meaning: 'The command did its work and found something wrong, or failed unexpectedly.' },
  USAGE: { code: 2, meaning: 'A command, a flag or an argument is wrong.' },
  CONFIGURATION: { code: 3, meaning: 'The configuration or an environment variable is missing or wrong.' },
  UNREACHABLE: { code: 4, meaning: 'A server is not there, or does not answer.' },
  REFUSED: { code: 5, meaning: 'Access was refused: credentials, a token, permissions.' },
  LIMIT: { code: 6, meaning: 'A limit was reached: the rate limit of the API, a full disk.' },
  INTERRUPTED: { code: 130, meaning: 'Ctrl-C, SIGTERM, or a question that was answered with no.' },
} as const satisfies Readonly<Record<string, { readonly code: number; readonly meaning: string }>>

export type ExitName = keyof typeof EXIT_CODES
