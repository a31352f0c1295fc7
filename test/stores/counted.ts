export interface Counted<Client> {
  readonly client: Client
  /** How often it was asked for something since this was called last. */
  asked(): number
}

/** The same client, which counts the calls of its methods: there is no other way to what is behind it. */
export function counted<Client extends object>(client: Client): Counted<Client> {
  let calls = 0
  const counting = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...values: unknown[]) => {
        calls += 1
        return value.apply(target, values)
      }
    },
  })
  return {
    client: counting,
    asked() {
      const asked = calls
      calls = 0
      return asked
    },
  }
}
