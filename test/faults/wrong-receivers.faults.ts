import { bulkhead } from 'cockatiel'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ENGINES, type OpenEngine } from './wrong-receivers/engines.ts'
import { PROBES, type ProbeName } from './wrong-receivers/probes.ts'
import { buildReceivers, createStage, type Receiver } from './wrong-receivers/stage.ts'

const DUPLICATES = ['two at once', 'two at once, in two processes', 'again and again', 'failed half-way'] as const

/** Each receiver has one mistake, and these probes find it. */
const WRONG: Readonly<Record<string, readonly ProbeName[]>> = {
  'acknowledges-first': ['killed after its 2xx'],
  'checks-then-inserts': ['two at once', 'two at once, in two processes'],
  'crashes-unfenced': ['killed after an effect'],
  'keeps-no-record': DUPLICATES,
  'assumes-order': ['overtaken'],
  'logs-what-comes': ['the log'],
  'acts-before-checking': DUPLICATES,
  'parses-first': ['forged bodies'],
  'records-in-memory': ['two at once, in two processes'],
}

/** Probes mostly wait. */
const PROBES_AT_ONCE = 3
const PREFIX = `hooklayer_${process.pid}_`
const names = Object.keys(PROBES) as ProbeName[]

beforeAll(() => buildReceivers([...Object.keys(WRONG), 'careful', 'hooklayer']))

/** The mistakes that were found, by probe. */
type Findings = { readonly [Name in ProbeName]?: string }

async function probe(receiver: Receiver): Promise<Findings> {
  const few = bulkhead(PROBES_AT_ONCE, names.length)
  const found: { -readonly [Name in ProbeName]?: string } = {}
  async function ask(name: ProbeName): Promise<void> {
    const stage = createStage(receiver, PREFIX)
    try {
      const finding = await PROBES[name](stage)
      if (finding) found[name] = finding
    } finally {
      await stage.close()
    }
  }
  const asked = await Promise.allSettled(names.map((name) => few.execute(() => ask(name))))
  for (const one of asked) if (one.status === 'rejected') throw one.reason
  return found
}

function report(receiver: string, found: Findings): void {
  const findings = names.flatMap((name) => (found[name] ? [`${name} (${found[name]})`] : []))
  console.log(`${receiver.padEnd(32)} ${findings.join(', ') || `passes all ${names.length} probes`}`)
}

describe('of the hand-written receivers', () => {
  it.each(Object.entries(WRONG))(
    '%s is caught by the probes for its mistake and by no other',
    async (program, probes) => {
      const found = await probe({ program })
      report(program, found)
      expect(Object.keys(found).sort()).toEqual([...probes].sort())
    },
  )

  it('the careful one passes all probes', async () => {
    const found = await probe({ program: 'careful' })
    report('careful', found)
    expect(found).toEqual({})
  })
})

describe.each(Object.entries(ENGINES))('Hooklayer on %s', (name, engine) => {
  if (engine.missing) {
    it.skip(`is not probed: ${engine.missing}`)
    return
  }
  let opened: OpenEngine | undefined
  beforeAll(async () => {
    opened = await engine.open()
  })
  afterAll(() => opened?.close(PREFIX))

  it('makes none of the mistakes without an inbox', async () => {
    expect(await probeHooklayer(name, 'inline', opened)).toEqual({})
  })

  it('makes none of the mistakes with an inbox', async () => {
    expect(await probeHooklayer(name, 'inbox', opened)).toEqual({})
  })
})

describe('Hooklayer with an inbox and no store', () => {
  it('recognizes bytes, but neither events nor their order', async () => {
    const found = await probeHooklayer('sqlite', 'inbox-alone')
    expect(Object.keys(found).sort()).toEqual(['again and again', 'failed half-way', 'overtaken'])
  })
})

async function probeHooklayer(engine: string, how: string, { url } = { url: '' }): Promise<Findings> {
  const found = await probe({ program: 'hooklayer', args: (namespace) => [engine, how, namespace, url] })
  report(`Hooklayer, ${engine}, ${how}`, found)
  return found
}
