import fc, { type Arbitrary, type RunDetails } from 'fast-check'
import { keepInput, readCorpus } from './corpus.ts'

/** Where all drawn inputs start. `FUZZ_SEED` starts elsewhere. */
export const FUZZ_SEED = readNumber('FUZZ_SEED', 20_261_128)

/** How long the properties take together, about. `FUZZ_SECONDS` lengthens the search. */
export const FUZZ_SECONDS = readNumber('FUZZ_SECONDS', 60)

/**
 * Checks a property: first with every input of the corpus, then with drawn ones until its share of the time has passed.
 * An input that fails is made smaller, added to the corpus, and printed with the seed. Inputs must be plain JSON.
 *
 * @param share of {@link FUZZ_SECONDS}.
 */
export async function fuzz<Input>(
  name: string,
  share: number,
  inputs: Arbitrary<Input>,
  check: (input: Input) => unknown,
): Promise<void> {
  const property = fc.asyncProperty(inputs, async (input) => {
    await check(input)
  })
  const corpus = readCorpus<Input>(name)
  for (const input of corpus) await check(input)
  const until = performance.now() + FUZZ_SECONDS * 1000 * share
  let batches = 0
  do {
    const details = await fc.check(property, { ...BATCH, seed: FUZZ_SEED + batches })
    if (details.failed) throw describeFailure(name, details)
    batches++
  } while (performance.now() < until)
  console.log(`${name}: ${corpus.length} inputs of the corpus, ${batches * BATCH.numRuns} drawn`)
}

/**
 * The time is looked at between batches. A limit of fast-check would end a run under way, and so overlook one that hangs.
 * The minutes are for making a failed input smaller.
 */
const BATCH = { numRuns: 20, interruptAfterTimeLimit: 120_000, markInterruptAsFailure: true }

function describeFailure<Input>(name: string, details: RunDetails<[Input]>): Error {
  const { counterexample, errorInstance, seed } = details
  const file = counterexample ? keepInput(name, counterexample[0]) : 'nowhere'
  const message = `FUZZ_SEED=${seed}; the input was added to ${file}.\n${fc.defaultReportMessage(details)}`
  return new Error(message, { cause: errorInstance })
}

function readNumber(name: string, fallback: number): number {
  const given = process.env[name]
  if (given === undefined) return fallback
  if (!/^\d{1,9}$/.test(given)) throw new TypeError(`${name} must be a whole number.`)
  return Number(given)
}
