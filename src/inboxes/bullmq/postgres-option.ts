import { wrongOption } from '../../core/check-options.ts'
import { checkNamesPlace, isPlainObject } from './check-place.ts'

/** Options of a `Pool` of `pg`. These say where PostgreSQL is, and all others are passed on. */
export interface PostgresPlace {
  /** Instead of the others: `postgres://…`. */
  readonly url?: string | undefined
  readonly connectionString?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/** A `Pool` of `pg`, or one that works like it. */
export interface PostgresPool {
  connect(): Promise<{ release(error?: boolean): void }>
  end(): Promise<void>
  readonly totalCount: number
}

export type PostgresOption = string | PostgresPlace | Readonly<Record<string, unknown>> | PostgresPool

const EXPECTED =
  'must be a URL `postgres://…`, options of `pg` with a `url`, `connectionString`, `host` or `port`, or a `Pool` of `pg`'

/** @throws TypeError if the option does not say where PostgreSQL is, or is of a kind that cannot be used. */
export function checkPostgres(owner: string, postgres: unknown): PostgresOption {
  if (isPostgresPool(postgres)) return postgres
  if (typeof postgres === 'string') checkUrl(owner, postgres)
  else if (isPlainObject(postgres)) checkPlace(owner, postgres)
  else throw wrongOption(owner, 'postgres', EXPECTED)
  return postgres
}

/** A single `Client` has no count of clients: it would run one statement at a time. */
export function isPostgresPool(postgres: unknown): postgres is PostgresPool {
  const { connect, query, totalCount } = Object(postgres)
  return typeof connect === 'function' && typeof query === 'function' && typeof totalCount === 'number'
}

/**
 * The options of a pool for a place: ours go last. A URL may have `options` of its own, which would replace all others.
 *
 * @param startup options that the server is given at each connection.
 */
export function toPoolConfig(
  place: string | PostgresPlace | Readonly<Record<string, unknown>>,
  startup: readonly string[],
): Readonly<Record<string, unknown>> {
  const options: Readonly<Record<string, unknown>> = typeof place === 'string' ? { url: place } : { ...place }
  const { url, connectionString = url, ...others } = options
  if (typeof connectionString !== 'string') return { ...others, ...addOptions(others.options, startup) }
  const [base, query] = connectionString.split('?')
  const parameters = new URLSearchParams(query)
  const given = parameters.get('options') ?? others.options
  if (startup.length > 0) parameters.delete('options')
  const rest = parameters.size > 0 ? `?${parameters}` : ''
  return { ...others, connectionString: `${base}${rest}`, ...addOptions(given, startup) }
}

function addOptions(given: unknown, startup: readonly string[]): { readonly options?: string } {
  if (startup.length === 0) return {}
  return { options: [given ?? process.env.PGOPTIONS, ...startup].filter(Boolean).join(' ') }
}

function checkPlace(owner: string, place: Readonly<Record<string, unknown>>): void {
  const urls = ['url', 'connectionString']
  const url = place.url ?? place.connectionString
  const named = url === undefined ? { host: process.env.PGHOST, ...place } : place
  checkNamesPlace(owner, 'postgres', named, { urls, others: ['host', 'port', 'stream'], expected: EXPECTED })
  if (url !== undefined) checkUrl(owner, url)
}

function checkUrl(owner: string, url: unknown): void {
  if (typeof url !== 'string' || !/^(?:postgres(?:ql)?:\/\/.|socket:.|\/.)/i.test(url)) {
    throw wrongOption(owner, 'postgres', EXPECTED)
  }
}
