/** Creates a map that drops its oldest entries when it has more than `max`. */
export function createBoundedMap<Key, Value>(max: number): Map<Key, Value> {
  return new BoundedMap<Key, Value>(max)
}

class BoundedMap<Key, Value> extends Map<Key, Value> {
  readonly #max: number

  constructor(max: number) {
    super()
    this.#max = max
  }

  override set(key: Key, value: Value): this {
    super.set(key, value)
    for (const oldest of this.keys()) {
      if (this.size <= this.#max) break
      this.delete(oldest)
    }
    return this
  }
}
