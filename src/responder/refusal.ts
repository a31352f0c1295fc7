/** Refusals are recognized by this tag: a program may hold two copies of the package (ESM and CommonJS). */
const TAG = Symbol.for('hooklayer.refusal')

declare const refusal: unique symbol

/** What a handler returns where there is no answer. Made by {@link refuse}. */
export interface Refusal {
  readonly code: string
  readonly message: string
  /** Only in the type: an object of the same fields is no refusal. */
  readonly [refusal]: true
}

/**
 * Makes the refusal that a handler, or a `fallback`, gives in the place of an answer: 422, in Commerce Layer's form. It
 * is a value and no failure. An order that is refused by its validation is answered to the shop with the message.
 *
 * @param code for programs, such as `OUT_OF_STOCK`.
 * @param message for people: of an order validation, the customer may read it.
 * @throws TypeError if one of them is not text.
 * @example
 * const responder = createResponder('order-validation', { secret }, ({ resource: order }) =>
 *   order.line_items.length > 100 ? refuse('TOO_MANY_LINES', 'Please order at most 100 articles.') : {},
 * )
 */
export function refuse(code: string, message: string): Refusal {
  for (const [name, value] of Object.entries({ code, message })) {
    if (typeof value !== 'string' || value.trim() === '') throw new TypeError(`refuse: \`${name}\` must be text.`)
  }
  return Object.freeze(Object.defineProperty({ code, message }, TAG, { value: true })) as Refusal
}

export function isRefusal(value: unknown): value is Refusal {
  return (value as { readonly [TAG]?: unknown } | null | undefined)?.[TAG] === true
}
