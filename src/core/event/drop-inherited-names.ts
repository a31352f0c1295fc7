/**
 * The names that every object inherits. A naive deep merge finds something below them in each target, so an object
 * under `__proto__`, `constructor` or `toString` would be merged into what all objects share.
 */
export const INHERITED_NAMES: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype))

/**
 * Deletes at every depth what would change a prototype when somebody merges or copies the value: `__proto__`, and
 * objects under the other {@link INHERITED_NAMES}. Text and numbers under those stay, because a merge sets them on its
 * target. Takes any depth.
 */
export function dropInheritedNames(value: object): void {
  const open = [value as Record<string, unknown>]
  for (let record = open.pop(); record; record = open.pop()) {
    for (const name in record) {
      const field = record[name]
      if (typeof field === 'object' && field !== null) {
        if (INHERITED_NAMES.has(name)) Reflect.deleteProperty(record, name)
        else if (Object.hasOwn(record, name)) open.push(field as Record<string, unknown>)
      } else if (name === '__proto__') Reflect.deleteProperty(record, name)
    }
  }
}
