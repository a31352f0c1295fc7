import { CliError } from '../cli-error.ts'
import { confirmOrStop } from '../terminal/ask.ts'
import type { Output } from '../terminal/output.ts'

/** What `--help` says of {@link findDefaultReceiver}. */
export const DEFAULT_RECEIVER = 'http://127.0.0.1:3000/webhooks, or the port that PORT names'

/** Where deliveries are sent to unless a flag or the configuration says so: the port that the receiver will take. */
export function findDefaultReceiver({ PORT = '' } = process.env): string {
  const isPort = /^[1-9]\d{0,4}$/.test(PORT) && Number(PORT) < 2 ** 16
  return `http://127.0.0.1:${isPort ? PORT : 3000}/webhooks`
}

/** Reads a URL of a receiver. `flag` is what it was given by, and begins the message. */
export function toReceiverUrl(text: string, flag: string): URL {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text)
  throw new CliError('USAGE', `${flag} must be a URL such as http://127.0.0.1:3000/webhooks`)
}

/** Whether a host name always means this machine. */
export function isThisMachine(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

/** Asks before signed deliveries are sent to another host: a receiver takes them for true ones. */
export async function confirmHost(output: Output, { hostname }: URL, flags: { readonly yes?: boolean }): Promise<void> {
  if (isThisMachine(hostname)) return
  const message = `${hostname} will handle this as a true order or customer. Send it?`
  await confirmOrStop(output, flags, message, 'Nothing was sent.')
}
