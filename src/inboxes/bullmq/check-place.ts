import { wrongOption } from '../../core/check-options.ts'

/** Whether an object was written as options, and is no instance of a class: no client, pool or `URL`. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** @throws TypeError if options say in two ways where the engine is, or in none. */
export function checkNamesPlace(
  owner: string,
  name: string,
  options: Readonly<Record<string, unknown>>,
  {
    urls,
    others,
    expected,
  }: { readonly urls: readonly string[]; readonly others: readonly string[]; expected: string },
): void {
  const given = (key: string) => options[key] !== undefined && options[key] !== null && options[key] !== ''
  const [url, second = others.find(given)] = urls.filter(given)
  if (url === undefined && !others.some(given)) throw wrongOption(owner, name, expected)
  if (url !== undefined && second !== undefined) {
    throw wrongOption(owner, name, `names two places, by \`${url}\` and \`${second}\`. Give one of them`)
  }
}
