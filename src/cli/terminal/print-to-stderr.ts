import { Console } from 'node:console'

/** Handlers and configurations print what they like: it must not be among the results on stdout. */
export function printToStderr(): void {
  Object.assign(console, new Console(process.stderr))
}
