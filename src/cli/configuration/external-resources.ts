import { type Command, InvalidArgumentError } from 'commander'
import type { ExternalResourceKind } from 'hooklayer/responder'
import { CliError } from '../cli-error.ts'

/** The variable of the secret of each kind. A market has one for its two kinds. */
const SECRET_VARIABLES: Readonly<Record<ExternalResourceKind, string>> = {
  prices: 'CL_SECRET_MARKET',
  'order-validation': 'CL_SECRET_MARKET',
  'shipping-cost': 'CL_SECRET_SHIPPING',
  promotion: 'CL_SECRET_PROMOTION',
  tax: 'CL_SECRET_TAX',
}

const KINDS = Object.keys(SECRET_VARIABLES) as ExternalResourceKind[]

/** The name of the variable that holds the secret of a kind, as in docs/external-resources.md. */
export function toHolderVariable(kind: ExternalResourceKind): string {
  return SECRET_VARIABLES[kind]
}

/** Whether a variable is that of a kind, and not of a topic. */
export function isHolderVariable(name: string): boolean {
  return Object.values(SECRET_VARIABLES).includes(name)
}

/** The secret of a kind in the environment: the first where there are several. */
export function findHolderSecret(kind: ExternalResourceKind): string | undefined {
  return process.env[toHolderVariable(kind)]?.split(',')[0] || undefined
}

/** @throws CliError for a kind that there is not. */
export function checkKind(kind: string, flag: string): ExternalResourceKind {
  const found = KINDS.find((one) => one === kind)
  if (found) return found
  throw new CliError('USAGE', `${flag} must be one of ${KINDS.join(', ')}.`)
}

/** URLs by kind. A path is at the host of the receiver. */
export type AskedUrls = Readonly<Partial<Record<ExternalResourceKind, string>>>

export function addAskOption(command: Command): Command {
  return command.option(
    '--ask <kind=url>',
    'a responder that can be asked: tax=/taxes, at the receiver, or tax=http://…; may be repeated',
    collectUrls,
  )
}

function collectUrls(value: string, before: AskedUrls = {}): AskedUrls {
  const [kind = '', ...rest] = value.split('=')
  const url = rest.join('=')
  if (!KINDS.some((one) => one === kind) || url === '') {
    throw new InvalidArgumentError(`It must be as tax=/taxes, with one of ${KINDS.join(', ')}.`)
  }
  return { ...before, [kind]: url }
}

/** @throws CliError for what is no URL. */
export function toAskedUrl(text: string, receiver: URL, kind: string): URL {
  if (URL.canParse(text, receiver.href)) {
    const url = new URL(text, receiver)
    if (/^https?:$/.test(url.protocol)) return url
  }
  throw new CliError('USAGE', `--ask: the URL of ${kind} must be a path such as /taxes, or a URL with http or https.`)
}
