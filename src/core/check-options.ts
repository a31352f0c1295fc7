/** What an option may be, where it is not a whole number over 0. */
type Choices = Readonly<Record<string, readonly unknown[]>>

/**
 * Options with their defaults, which are also the names that there are.
 *
 * @throws TypeError that names the option which is unknown or wrong, and what it may be.
 */
export function checkOptions<T extends object>(
  owner: string,
  given: Partial<T>,
  defaults: T,
  choices: Choices = {},
): T {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) throw new TypeError(`${owner} has no option \`${name}\`.`)
    checkValue(owner, name, value, choices[name])
  }
  return { ...defaults, ...given }
}

export function checkValue(owner: string, name: string, value: unknown, allowed?: readonly unknown[]): void {
  if (allowed ? allowed.includes(value) : Number.isSafeInteger(value) && Number(value) > 0) return
  throw new TypeError(`${owner}: \`${name}\` must be ${allowed?.join(' or ') ?? 'a whole number over 0'}.`)
}

/** @throws TypeError that names the first method which an object of somebody else's lacks. */
export function checkMethods(name: string, object: unknown, methods: readonly string[]): void {
  for (const method of methods) {
    if (typeof Object(object)[method] !== 'function') throw new TypeError(`\`${name}\` has no method \`${method}\`.`)
  }
}
