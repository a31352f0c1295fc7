import * as z from 'zod'

/** The longest text: that of a `varchar` of Rails. An assumption. */
export const MAX_TEXT_LENGTH = 255

/** Checks of attributes. The message of each check is the name of the broken rule. */
export const text = z.string('invalid').max(MAX_TEXT_LENGTH, 'too_long').nullish()
export const flag = z.boolean('invalid').nullish()
export const required = z.string({ error: ({ input }) => (input == null ? 'blank' : 'invalid') }).min(1, 'blank')

/** The checks of the attributes that a client may set on every resource. */
export const SHARED_CHECKS = {
  reference: text,
  reference_origin: text,
  metadata: z.record(z.string(), z.unknown(), 'invalid').nullish(),
}
