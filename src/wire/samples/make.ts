import { exampleAttributesOf, type Resource, SHARED_ATTRIBUTES } from '../schema.ts'
import { stableId } from './ids.ts'

/** Makes a resource with the example attributes of its type, changed by `fields`. */
export type Make = (type: string, fields?: Readonly<Record<string, unknown>>) => Resource

/** One for each graph of resources: ids are unique within it, and the same in the next one. */
export function createMake(): Make {
  const counts = new Map<string, number>()
  return (type, fields) => {
    const count = (counts.get(type) ?? 0) + 1
    counts.set(type, count)
    const attributes = structuredClone({ ...exampleAttributesOf(type), ...SHARED_ATTRIBUTES })
    return { id: stableId(`${type}/${count}`), type, ...attributes, ...fields }
  }
}
