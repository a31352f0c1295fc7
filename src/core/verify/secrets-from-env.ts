import { isTopic } from '../../commerce-layer/topic-patterns.ts'
import { TOPICS } from '../../commerce-layer/topics.ts'
import { checkOptions } from '../check-options.ts'
import { processEnv } from '../process-env.ts'
import { SECRET_PREFIX, toVariable } from './secret-variable.ts'

export interface SecretsFromEnvOptions {
  /** What the names of the variables begin with. Default: `CL_SECRET_`. */
  readonly prefix?: string | undefined
  /** The variables. Default: `process.env`; on Workers, the `env` that the handler is given. */
  readonly env?: Readonly<Record<string, unknown>> | undefined
}

/**
 * Reads the shared secrets of webhooks from environment variables, as the `secrets` of a receiver:
 * `CL_SECRET_ORDERS__PLACE` holds the secret of `orders.place`. The name is the topic in capitals, with two underscores
 * for the dot. A variable may hold several secrets, separated by commas, while one replaces another. Empty variables
 * are left out.
 *
 * @throws TypeError if there is no such variable, or if one names a topic with a single underscore for the dot
 * (`CL_SECRET_ORDERS_PLACE`).
 * @example
 * const receiver = createReceiver({ secrets: secretsFromEnv() })
 */
export function secretsFromEnv(options: SecretsFromEnvOptions = {}): Readonly<Record<string, readonly string[]>> {
  checkOptions('secretsFromEnv', options, {}, ['prefix', 'env'])
  const { prefix = SECRET_PREFIX, env = processEnv() } = options
  const variables = Object.entries(env).filter(([name, value]) => name.startsWith(prefix) && value)
  const entries = variables.flatMap(([name, value]) => {
    const topic = toTopic(name.slice(prefix.length))
    return topic === undefined ? [] : [[topic, String(value).split(',')] as const]
  })
  const secrets = Object.fromEntries(entries)
  for (const [name] of variables) checkForm(name, prefix, secrets)
  if (entries.length === 0) {
    throw new TypeError(
      `secretsFromEnv found no variable such as \`${toVariable('orders.place', prefix)}\`. Set one for each topic, or pass \`env\`.`,
    )
  }
  return secrets
}

function toTopic(name: string): string | undefined {
  const topic = name.toLowerCase().replace('__', '.')
  return isTopic(topic) && topic.toUpperCase().replace('.', '__') === name ? topic : undefined
}

/** A variable in the form that was documented before 0.2 is not read: two topics could share it. */
function checkForm(name: string, prefix: string, secrets: Readonly<Record<string, unknown>>): void {
  const known = Object.entries(TOPICS).flatMap(([resource, events]) => events.map((event) => `${resource}.${event}`))
  const meant = known.find((topic) => `${prefix}${topic.replace('.', '_').toUpperCase()}` === name)
  if (meant === undefined || meant in secrets) return
  throw new TypeError(`secretsFromEnv does not read \`${name}\`: rename it to \`${toVariable(meant, prefix)}\`.`)
}
