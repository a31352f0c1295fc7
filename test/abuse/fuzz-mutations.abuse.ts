import { createReceiver, isWebhookError, verify } from 'hooklayer'
import { expect, it } from 'vitest'
import { createRandom } from '../../src/emulator/sender/random.ts'
import { recordingLogger } from '../deliveries.ts'
import { keepInput, readCorpus } from './fuzz/corpus.ts'
import { FUZZ_SECONDS, FUZZ_SEED } from './fuzz/fuzz.ts'
import { createGenuine, drawMutated, fromKept, type Mutated, SECRETS, toHeaders, toKept } from './fuzz/mutations.ts'

const { logger } = recordingLogger()
const silent = { ...logger, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** How many are drawn in 60 seconds of `FUZZ_SECONDS`. */
const MUTATIONS_A_MINUTE = 1_000_000

/** Every so many go through a receiver as well, which costs several times what `verify` costs. */
const RECEIVED = 20

it('no mutated delivery is accepted, of a million, and none throws anything but a WebhookError', async () => {
  const genuine = await createGenuine()
  const random = createRandom(FUZZ_SEED)
  // Their stacks take a third of the time.
  Error.stackTraceLimit = 0
  const receiver = createReceiver({ secrets: SECRETS, logger: silent })
  let handled = 0
  receiver.on('*', () => {
    handled++
  })

  async function check(mutated: Mutated, isReceived: boolean): Promise<void> {
    const headers = toHeaders(mutated)
    const { body } = mutated
    const error = await verify(body, headers, SECRETS).catch((thrown: unknown) => thrown)
    if (!isWebhookError(error) || error.retryable) throw failure(mutated, `verify gave ${error}`)
    if (!isReceived) return
    const { status } = await receiver.receive({ method: 'POST', headers, body })
    if (handled > 0 || status < 400 || status >= 500) throw failure(mutated, `a receiver answered ${status}`)
  }

  for (const { topic, signature, body } of genuine) {
    const headers = toHeaders({ topic, signature, body, shape: 'record' })
    await expect(verify(body, headers, SECRETS)).resolves.toMatchObject({ topic })
  }
  for (const kept of readCorpus<Parameters<typeof fromKept>[0]>('mutations')) await check(fromKept(kept), true)
  const wanted = Math.ceil((MUTATIONS_A_MINUTE * FUZZ_SECONDS) / 60)
  let drawn = 0
  for (let count = 0; count < wanted; ) {
    drawn++
    const mutated = drawMutated(genuine, random)
    if (!mutated) continue
    count++
    await check(mutated, count % RECEIVED === 0)
  }
  console.log(`mutations: ${wanted} refused; ${drawn - wanted} draws changed nothing`)
  expect(drawn).toBeLessThan(wanted * 1.2)
})

function failure(mutated: Mutated, what: string): Error {
  return new Error(
    `FUZZ_SEED=${FUZZ_SEED}: ${what}; the input was added to ${keepInput('mutations', toKept(mutated))}.`,
  )
}
