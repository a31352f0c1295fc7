import * as z from 'zod'

/** Checks of attributes; what each of them says is the rule that was broken. */
export const text = z.string('invalid').nullish()
export const flag = z.boolean('invalid').nullish()
export const required = z.string({ error: ({ input }) => (input == null ? 'blank' : 'invalid') }).min(1, 'blank')

/** What can be said of a resource of any type. */
export const SHARED_CHECKS = {
  reference: text,
  reference_origin: text,
  metadata: z.record(z.string(), z.unknown(), 'invalid').nullish(),
}
