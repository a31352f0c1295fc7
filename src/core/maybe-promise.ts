/** A value, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>

/**
 * Passes a value through steps, without waiting where a step returns a value and not a promise. On Node, a delivery
 * whose handlers return passes all steps synchronously; each `await` would take a tenth of a microsecond.
 */
export function pipe<A, B>(value: MaybePromise<A>, b: (value: A) => MaybePromise<B>): MaybePromise<B>
export function pipe<A, B, C>(
  value: MaybePromise<A>,
  b: (value: A) => MaybePromise<B>,
  c: (value: B) => MaybePromise<C>,
): MaybePromise<C>
export function pipe<A, B, C, D>(
  value: MaybePromise<A>,
  b: (value: A) => MaybePromise<B>,
  c: (value: B) => MaybePromise<C>,
  d: (value: C) => MaybePromise<D>,
): MaybePromise<D>
export function pipe(value: unknown, ...steps: ((value: unknown) => unknown)[]): unknown {
  return runSteps(value, steps, 0)
}

function runSteps(value: unknown, steps: readonly ((value: unknown) => unknown)[], next: number): unknown {
  let current = value
  for (let i = next; i < steps.length; i += 1) {
    const rest = i
    if (isPromise(current)) return current.then((value) => runSteps(value, steps, rest))
    current = steps[i]?.(current)
  }
  return current
}

/** Calls a function of others: one that throws rejects. */
export async function asPromise<T>(call: () => PromiseLike<T>): Promise<T> {
  return call()
}

/**
 * Looks for the method `then`, as `await` does: a promise may come from another realm, as in Next's edge runtime, and a
 * function may have one, as the query builders of databases do.
 */
export function isPromise(value: unknown): value is Promise<unknown> {
  const mayHaveThen = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return mayHaveThen && typeof (value as Promise<unknown>).then === 'function'
}
