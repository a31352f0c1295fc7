export interface Counted<Client> {
  readonly client: Client
  /** The number of calls since the last call of `asked`. */
  asked(): number
}

/** A proxy of the client that counts the calls of its methods. */
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
