import { describe, expect, it } from 'vitest'
import { computeSignature } from '../../src/core/verify/signature.ts'
import { createReceiver } from '../../src/index.ts'
import { createRecorder } from '../../src/recorder/recorder.ts'
import { recordingLogger, SECRET, signed } from '../deliveries.ts'
import { PLACES } from '../recorder/places.ts'

const KB = 1024
const ROUNDS = 7
const FORGERIES = 40
/** As many HMACs as a forgery may cost, and some room for a busy machine. */
const MAX_RATIO = 4

const FILLERS = {
  'one bracket': '<',
  ampersands: '&',
  letters: 'a',
  'whole numbers in fields of floats': '"a_float":1,&',
  JSON: '{"a":[1,2,3]},',
}

/** The least over several rounds of how long one took, in milliseconds by the clock and of processor time. */
async function measure(work: () => unknown): Promise<{ readonly wall: number; readonly cpu: number }> {
  const rounds: { wall: number; cpu: number }[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const cpu = process.cpuUsage()
    const start = performance.now()
    for (let i = 0; i < FORGERIES; i += 1) await work()
    // What was put off until after the answers counts too.
    await new Promise((resolve) => setTimeout(resolve, 0))
    const { user, system } = process.cpuUsage(cpu)
    rounds.push({ wall: (performance.now() - start) / FORGERIES, cpu: (user + system) / 1000 / FORGERIES })
  }
  return { wall: Math.min(...rounds.map(({ wall }) => wall)), cpu: Math.min(...rounds.map(({ cpu }) => cpu)) }
}

describe.each([64, 256, 1024])('a forgery of %i KiB', (kib) => {
  it.each(Object.entries(FILLERS))('made of %s does not cost more than its HMAC by much', async (name, filler) => {
    const body = new TextEncoder().encode(filler.repeat(Math.ceil((kib * KB) / filler.length)).slice(0, kib * KB))
    const receiver = createReceiver({ secrets: { 'orders.place': SECRET }, logger: recordingLogger().logger })
    receiver.on('orders.place', () => {})
    const headers = { 'x-commercelayer-topic': 'orders.place', 'x-commercelayer-signature': signed('', 'forged') }
    const forge = () => receiver.receive({ method: 'POST', headers, body })
    expect((await forge()).status).toBe(401)
    const forgery = await measure(forge)
    const hmac = await measure(() => computeSignature(body, SECRET))
    const ratios = { wall: forgery.wall / hmac.wall, cpu: forgery.cpu / hmac.cpu }
    console.log(`${kib} KiB of ${name}: ${ratios.wall.toFixed(2)} by the clock, ${ratios.cpu.toFixed(2)} of processor`)
    expect(ratios.cpu).toBeLessThan(MAX_RATIO)
  })
})

/** A flood in which what is recorded after the answers counts too, in milliseconds of processor time for each. */
async function measureFlood(work: () => unknown, settle: () => Promise<unknown>, ms: number): Promise<number> {
  const cpu = process.cpuUsage()
  const end = performance.now() + ms
  let count = 0
  for (; performance.now() < end; count += 1) {
    await work()
    if (count % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 0))
  }
  await settle()
  const { user, system } = process.cpuUsage(cpu)
  return (user + system) / 1000 / count
}

describe.each(PLACES)('with a recorder $place, a forgery', ({ options }) => {
  it.each([64, 256, 1024].flatMap((kib) => ['letters', 'JSON', 'resources'].map((name) => [kib, name] as const)))(
    'of %i KiB of %s does not cost more than its HMAC by much, in a flood',
    async (kib, name) => {
      const filler = { letters: 'a', JSON: '{"a":[1,2,3]},', resources: '{"id":"a","type":"b"},' }[name] ?? ''
      const count = Math.floor((kib * KB - 20) / filler.length)
      const body = new TextEncoder().encode(`{"data":[${filler.repeat(count)}{}]}`)
      const { logger } = recordingLogger()
      const recorder = createRecorder({ logger, ...options() })
      const receiver = createReceiver({ secrets: { 'orders.place': SECRET }, logger, recorder })
      const headers = { 'x-commercelayer-topic': 'orders.place', 'x-commercelayer-signature': signed('', 'forged') }
      const forge = () => receiver.receive({ method: 'POST', headers, body })
      const settle = () => recorder.statistics({ since: new Date(), spanMs: 1000 })
      // A file takes some hundred at once, and a few a second after that.
      for (let i = 0; i < 700; i += 1) await forge()
      await settle()
      const forgery = await measureFlood(forge, settle, 3000)
      const hmac = await measureFlood(
        () => computeSignature(body, SECRET),
        async () => {},
        1000,
      )
      console.log(`${kib} KiB of ${name}, recorded: ${(forgery / hmac).toFixed(2)} of processor`)
      expect(forgery / hmac).toBeLessThan(MAX_RATIO)
      await recorder.close()
    },
  )
})
