import { checkNames, checkOption, oneOf } from '../check-options.ts'
import { processEnv } from '../process-env.ts'
import { toVariable } from './secret-variable.ts'
import { TEST_SECRET } from './test-secret.ts'

/**
 * A secret that signs the documents of one organization, or of one mode, only. It keeps two organizations, or test and
 * live, apart at one endpoint.
 */
export interface LabelledSecret {
  readonly secret: string | undefined
  /** The id of the organization. A document without one is refused. Default: any. */
  readonly organizationId?: string | undefined
  /** The environment. A document that does not say its mode is accepted. Default: both. */
  readonly mode?: 'test' | 'live' | undefined
}

type OneSecret = string | LabelledSecret | undefined

/**
 * One shared secret, or several while one replaces another. Each is text, or text with a label. `undefined`, an
 * environment variable that is not set, is refused.
 */
export type Secret = OneSecret | readonly OneSecret[]

/** What a document must say for a secret to be accepted. */
export type SecretLabel = Pick<LabelledSecret, 'organizationId' | 'mode'>

/** A secret that was checked. */
export interface SigningSecret {
  readonly text: string
  /** The document must fit one of them. If there are none, every document fits. */
  readonly labels: readonly SecretLabel[]
}

/** Whether a value is a secret with a label, and not a map of secrets by topic: no topic is without a dot. */
export function isLabelled(value: unknown): value is LabelledSecret {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'secret')
}

/**
 * @param topic the topic of the secret, to name its usual variable.
 * @throws TypeError that names the secret and says what is wrong. It does not hold the secret.
 */
export function checkSecrets(secret: unknown, name: string, topic?: string): readonly SigningSecret[] {
  const list: readonly unknown[] = Array.isArray(secret) ? secret : [secret]
  if (list.length === 0) throw new TypeError(`\`${name}\` is empty.`)
  return mergeLabels(list.map((one) => checkSecret(one, name, topic)))
}

/** @throws TypeError as {@link checkSecrets} does. */
export function checkSecret(secret: unknown, name: string, topic?: string): SigningSecret {
  const text = isLabelled(secret) ? secret.secret : secret
  const problem = describeProblem(text, topic)
  if (problem) throw new TypeError(`\`${name}\` ${problem}`)
  return { text: text as string, labels: isLabelled(secret) ? readLabel(secret, name) : [] }
}

/** Several labels of one text are one secret. A text that also stands without a label fits every document. */
export function mergeLabels(secrets: readonly SigningSecret[]): readonly SigningSecret[] {
  const texts = new Set(secrets.map(({ text }) => text))
  if (texts.size === secrets.length) return secrets
  return Array.from(texts, (text) => {
    const same = secrets.filter((one) => one.text === text)
    const fitsAll = same.some(({ labels }) => labels.length === 0)
    return { text, labels: fitsAll ? [] : same.flatMap(({ labels }) => labels) }
  })
}

const LABEL_RULES = {
  organizationId: {
    fallback: '',
    expected: 'text that is not empty',
    isValid: (id: unknown) => typeof id === 'string' && id.trim() !== '',
  },
  mode: oneOf('test', 'live'),
}

/** A label that is written and not set is refused: without it, the secret would fit every document. */
function readLabel(secret: LabelledSecret, name: string): readonly SecretLabel[] {
  const { secret: _, ...label } = secret
  const given = Object.keys(label) as (keyof SecretLabel)[]
  const owner = `\`${name}\``
  checkNames(owner, given, Object.keys(LABEL_RULES))
  for (const key of given) checkOption<unknown>(owner, key, label[key], LABEL_RULES[key])
  return given.length === 0 ? [] : [label]
}

/** Commerce Layer's secrets have 32. */
const MIN_CHARACTERS = 16
const PRINTABLE = /\P{M}/gu

/** Control and format characters, spaces other than the usual one, and characters that are drawn as nothing. */
const INVISIBLE = /[\p{C}\p{DI}\u2800]|(?! )\p{Z}/u
const QUOTED = /^[`\p{Quotation_Mark}]|[`\p{Quotation_Mark}]$/u
/** The text of a value that is missing, or several of them joined. */
const NOTHING = /^(?:(?:undefined|null|nan|none|nil|true|false|infinity|\[object [^\]]*\])[\s,.:;_/|+-]*)+$/i

/** Completes a sentence that begins with the name of a secret; `undefined` if there is nothing wrong with it. */
function describeProblem(secret: unknown, topic: string | undefined): string | undefined {
  if (secret === undefined || secret === null) {
    return `is not set. Is its environment variable set${topic ? `, such as \`${toVariable(topic)}\`` : ''}?`
  }
  if (typeof secret !== 'string') return 'is not a string.'
  if (secret.trim() === '') return 'is empty: anybody could sign with it.'
  if (secret !== secret.trim()) return 'has leading or trailing whitespace.'
  if (INVISIBLE.test(secret)) return 'has a character that cannot be seen.'
  if (QUOTED.test(secret)) return 'is in quotes: leave them out.'
  if (NOTHING.test(secret)) return 'is the text of a value that is missing, such as `undefined`.'
  if ((secret.match(PRINTABLE) ?? []).length < MIN_CHARACTERS) {
    return `is shorter than ${MIN_CHARACTERS} characters: it can be guessed. Commerce Layer's secrets have 32.`
  }
  if (secret === TEST_SECRET && processEnv().NODE_ENV === 'production') {
    return 'is `TEST_SECRET`, which is public, and `NODE_ENV` is `production`.'
  }
  return undefined
}
