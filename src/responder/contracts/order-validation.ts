import { type Fields, readFields, readMetadata } from './fields.ts'

/**
 * The order is valid; one that is not is refused. Source: public code answers an empty `data`; the pages show the
 * common form.
 */
export interface OrderValidationAnswer {
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
}

export function writeOrderValidation(answer: unknown): Fields {
  const { metadata } = readFields(answer, 'data', ['metadata'])
  return readMetadata(metadata)
}
