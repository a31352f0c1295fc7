import { isResource, type Resource } from '../../src/wire/schema.ts'

/** A resource and every resource that it is linked to, directly or not. Each object once. */
export function resourcesWithin(resource: unknown): Resource[] {
  const found = new Set<Resource>([resource].filter(isResource))
  for (const reached of found) {
    for (const related of Object.values(reached).flat().filter(isResource)) found.add(related)
  }
  return [...found]
}
