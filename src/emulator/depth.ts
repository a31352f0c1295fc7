/**
 * The most levels of objects and lists that a document may have. It is the limit of Ruby's JSON, which Commerce Layer
 * is assumed to use. Deeper ones would exhaust the stack of what sorts and writes them.
 */
export const MAX_DEPTH = 100

/** Whether a value has more levels of objects and lists than {@link MAX_DEPTH}. One that contains itself has. */
export function isTooDeep(value: unknown): boolean {
  let level = new Set([value].filter(isObject))
  for (let depth = 0; level.size > 0; depth++) {
    if (depth === MAX_DEPTH) return true
    level = new Set([...level].flatMap((one) => Object.values(one)).filter(isObject))
  }
  return false
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
