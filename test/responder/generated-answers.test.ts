import { expect, it } from 'vitest'
import { checkGeneratedAnswers, KINDS } from './generated-answers.ts'

/** `npm run test:abuse` draws 10⁵. */
const RUNS = 1000
const SEED = 20260817

it.each(KINDS)('of drawn answers of %s, no wrong one leaves, and no right one is held back', async (kind) => {
  await expect(checkGeneratedAnswers(kind, RUNS, SEED)).resolves.toBeUndefined()
})
