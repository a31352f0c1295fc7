import { carries, eventsOf, resourceOf } from '../commerce-layer/topics.ts'
import { getRelationships, isKnownType, listKnownTypes } from './schema.ts'

/** A step of an include path that no resource at its place has. */
export interface UnknownStep {
  readonly step: string
  /** The relationships that it could be instead. */
  readonly known: readonly string[]
}

/**
 * Finds the first step of a path, such as `line_items.item`, that is no relationship of the resources it starts from:
 * those that a delivery of the topic may carry, and then those that the steps before it lead to. Nothing is unknown
 * where the SDK does not say what the resources are.
 */
export function findUnknownStep(topic: string, path: string): UnknownStep | undefined {
  if (eventsOf(resourceOf(topic)) === undefined) return undefined
  let types: readonly string[] = listKnownTypes().filter((type) => carries(topic, type))
  for (const step of path.split('.')) {
    if (!types.every(isKnownType)) return undefined
    const relationships = types.flatMap((type) => [...getRelationships(type)])
    const targets = relationships.flatMap(([name, relationship]) => (name === step ? relationship.targets : []))
    if (targets.length === 0) return { step, known: [...new Set(relationships.map(([name]) => name))] }
    types = targets
  }
  return undefined
}
