import { getExampleAttributes, type Resource, SHARED_ATTRIBUTES } from '../schema.ts'
import { stableId } from './ids.ts'

/** Makes a resource with the example attributes of its type. `fields` replaces or adds fields. */
export type ResourceFactory = (type: string, fields?: Readonly<Record<string, unknown>>) => Resource

/**
 * Creates a factory for one graph of resources. Ids are unique within the graph. The next factory gives the same ids in
 * the same order.
 */
export function createResourceFactory(): ResourceFactory {
  const counts = new Map<string, number>()
  return (type, fields) => {
    const count = (counts.get(type) ?? 0) + 1
    counts.set(type, count)
    const attributes = structuredClone({ ...getExampleAttributes(type), ...SHARED_ATTRIBUTES })
    return { id: stableId(`${type}/${count}`), type, ...attributes, ...fields }
  }
}
