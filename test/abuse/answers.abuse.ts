import { expect, it } from 'vitest'
import { checkGeneratedAnswers, KINDS } from '../responder/generated-answers.ts'

/** 10⁵ in all, a third of them wrong in more than 20 ways. */
const RUNS = 20_000
const SEED = Number(process.env.FUZZ_SEED ?? 20260817)

it.each(KINDS)(
  'of drawn answers of %s, no wrong one leaves, and no right one is held back',
  { timeout: 300_000 },
  async (kind) => {
    await expect(checkGeneratedAnswers(kind, RUNS, SEED)).resolves.toBeUndefined()
  },
)
