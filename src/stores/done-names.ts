/** The names of handlers as the keys of a JSON object, so that merging two objects in SQL is the union of two sets. */
export function writeDoneNames(names: readonly string[]): string {
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, 1])))
}

export function readDoneNames(json: string): string[] {
  return Object.keys(JSON.parse(json))
}
