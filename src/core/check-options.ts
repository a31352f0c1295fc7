/** What an option may be, and its value where it is not given. */
export interface OptionRule<T> {
  readonly fallback: T
  /** Completes the sentence "`name` must be …". */
  readonly expected: string
  isValid(value: unknown): boolean
}

/** The values of options once they are checked, by name. */
export type CheckedOptions<Rules> = {
  readonly [Name in keyof Rules]: Rules[Name] extends OptionRule<infer T> ? T : never
}

/** A whole number over 0: milliseconds, bytes or a count. */
export function positiveInteger(fallback: number): OptionRule<number> {
  const isValid = (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0
  return { fallback, expected: 'a whole number over 0', isValid }
}

/** A rule that allows one more value: milliseconds, or `none`. */
export function orValue<T, const V>(rule: OptionRule<T>, value: V): OptionRule<T | V> {
  const isValid = (given: unknown) => given === value || rule.isValid(given)
  return { fallback: rule.fallback, expected: `${rule.expected}, or ${String(value)}`, isValid }
}

/** Text of a form. */
export function matching(fallback: string, form: RegExp, expected: string): OptionRule<string> {
  return { fallback, expected, isValid: (value) => typeof value === 'string' && form.test(value) }
}

/** One of several values; the first is the default. */
export function oneOf<const T>(...values: readonly [T, ...T[]]): OptionRule<T> {
  const isValid = (value: unknown) => values.some((allowed) => allowed === value)
  return { fallback: values[0], expected: values.join(' or '), isValid }
}

/**
 * Checks the options that a function is given, and adds the defaults. An option that is `undefined` counts as not
 * given.
 *
 * @param owner whose options they are, for the message: `createReceiver`.
 * @param others names of options that the caller checks by itself.
 * @throws TypeError that names the option which is unknown or wrong, and says what to write instead.
 */
export function checkOptions<Rules extends Readonly<Record<string, OptionRule<unknown>>>>(
  owner: string,
  given: unknown,
  rules: Rules,
  others: readonly string[] = [],
): CheckedOptions<Rules> {
  if (typeof given !== 'object' || given === null) throw new TypeError(`${owner}: the options must be an object.`)
  checkNames(owner, Object.keys(given), [...Object.keys(rules), ...others])
  const checked = Object.entries(rules).map(([name, rule]) => {
    const value = (given as Readonly<Record<string, unknown>>)[name]
    return [name, value === undefined ? rule.fallback : checkOption(owner, name, value, rule)]
  })
  return Object.fromEntries(checked)
}

/** @throws TypeError that says what the option must be. */
export function checkOption<T>(owner: string, name: string, value: unknown, rule: OptionRule<T>): T {
  if (!rule.isValid(value)) throw wrongOption(owner, name, `must be ${rule.expected}`)
  return value as T
}

/** The error for an option whose value cannot be used. `problem` completes the sentence that begins with its name. */
export function wrongOption(owner: string, name: string, problem: string): TypeError {
  return new TypeError(`${owner}: \`${name}\` ${problem}.`)
}

/** @throws TypeError for the first name that is not known, with the one that was probably meant. */
export function checkNames(owner: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return
  const meant = findNearest(unknown, known)
  throw new TypeError(`${owner} has no option \`${unknown}\`.${meant ? ` Did you mean \`${meant}\`?` : ''}`)
}

/** @throws TypeError that names the first method which an object lacks. */
export function checkMethods(name: string, object: unknown, methods: readonly string[]): void {
  for (const method of methods) {
    if (typeof Object(object)[method] !== 'function') throw new TypeError(`\`${name}\` has no method \`${method}\`.`)
  }
}

/** The known name that a misspelled one is nearest to; `undefined` if none is near. */
export function findNearest(name: string, known: readonly string[]): string | undefined {
  const [nearest] = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(name.length, candidate.length) / 3)
    .sort((a, b) => a.distance - b.distance)
  return nearest?.candidate
}

/** Levenshtein's: how many letters have to be added, removed or replaced. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 0; i < from.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < to.length; j++) {
      const replaced = Number(row[j]) + Number(from[i] !== to[j])
      next.push(Math.min(replaced, Number(row[j + 1]) + 1, Number(next[j]) + 1))
    }
    row = next
  }
  return Number(row.at(-1))
}
