import { getExampleAttributes, type Resource, SHARED_ATTRIBUTES } from '../schema.ts'
import { randomId, stableId } from './ids.ts'

/** Makes a resource with the example attributes of its type. `fields` replaces or adds fields. */
export type ResourceFactory = (type: string, fields?: Readonly<Record<string, unknown>>) => Resource

/**
 * Creates a factory for one graph of resources. Ids are unique within the graph. The next factory gives the same ids in
 * the same order.
 *
 * @param isNew whether a resource of a type is a new one each time, with a random id. Default: none is.
 */
export function createResourceFactory(isNew: (type: string) => boolean = () => false): ResourceFactory {
  const counts = new Map<string, number>()
  return (type, fields) => {
    const count = (counts.get(type) ?? 0) + 1
    counts.set(type, count)
    const attributes = structuredClone({ ...getExampleAttributes(type), ...SHARED_ATTRIBUTES })
    return { id: isNew(type) ? randomId() : stableId(`${type}/${count}`), type, ...attributes, ...fields }
  }
}
