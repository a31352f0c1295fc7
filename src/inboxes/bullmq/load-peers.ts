/** The optional peers that were loaded. */
export type BullMq = typeof import('bullmq')
type IoRedis = typeof import('ioredis')
type Pg = typeof import('pg')['default']

/*
 * Each `import` stands inside a `try` of its own function: by that bundlers know that the package may be missing. With
 * another one around it they would fail on a driver that is not installed.
 */

/** @throws Error that says what to install. */
export async function loadBullMq(): Promise<BullMq> {
  try {
    return checkVersion(await import('bullmq'), 'createPostgresBackend', 'bullmq', '6.3')
  } catch (cause) {
    throw toLoadError('bullmq', cause)
  }
}

/** @throws Error that says what to install. */
export async function loadIoRedis(): Promise<IoRedis> {
  try {
    return checkVersion(await import('ioredis'), 'Redis', 'ioredis', '5')
  } catch (cause) {
    throw toLoadError('ioredis', cause)
  }
}

/** @throws Error that says what to install. */
export async function loadPg(): Promise<Pg> {
  try {
    return checkVersion((await import('pg')).default, 'DatabaseError', 'pg', '8')
  } catch (cause) {
    throw toLoadError('pg', cause)
  }
}

class VersionError extends Error {}

/** The version is told by an export that came with it: a bundle has no `package.json` to ask. */
function checkVersion<T extends object>(loaded: T, exported: keyof T, name: string, version: string): T {
  if (loaded[exported] !== undefined) return loaded
  const [major] = version.split('.')
  throw new VersionError(
    `createBullmqInbox needs ${name} ${version} or later, and an earlier one is installed: npm install ${name}@${major}`,
  )
}

/** A package that is there and fails has another remedy than one that is missing. */
function toLoadError(name: string, cause: unknown): Error {
  if (cause instanceof VersionError) return cause
  const isMissing = new RegExp(`Cannot find (module|package) '${name}'|Could not resolve "${name}"`).test(String(cause))
  if (isMissing) return new Error(`createBullmqInbox needs ${name}: npm install ${name}`, { cause })
  return new Error(`createBullmqInbox cannot load ${name}, which is installed. The cause says why.`, { cause })
}
