/** Makes a value once for each key. The keys have to be few: topics that nobody has made up, outcomes, codes. */
export function createCache<Value>(make: (key: string) => Value): { get(key: string): Value } {
  const made = new Map<string, Value>()
  return {
    get(key) {
      const known = made.get(key)
      if (known !== undefined) return known
      const value = make(key)
      made.set(key, value)
      return value
    },
  }
}
