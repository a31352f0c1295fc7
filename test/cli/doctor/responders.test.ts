import { createHmac } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNodeListener } from 'hooklayer/node'
import { createResponder, type ExternalResourceKind, refuse } from 'hooklayer/responder'
import { afterAll, describe, expect, it } from 'vitest'
import type { ProbeResult } from '../../../src/cli/doctor/evaluate-probe.ts'
import { createSuite } from '../../../src/cli/doctor/external-probes.ts'
import { createRequestFixture } from '../../../src/cli/doctor/probe-fixture.ts'
import { runProbes } from '../../../src/cli/doctor/run-probes.ts'
import { listen } from '../../contracts/adapter/listen.ts'
import { recordingLogger } from '../../deliveries.ts'
import { runCli } from '../run-cli.ts'
import { listFindings } from './probe-endpoint.ts'

const SECRET = '0123456789abcdef0123456789abcdef'
const options = { secret: SECRET, logger: recordingLogger().logger }

/** Ours, one of each kind. Promotions are refused, which is an answer. */
const OURS = {
  prices: createResponder('prices', options, () => ({ unit_amount_cents: 4900 })),
  'order-validation': createResponder('order-validation', options, () => ({})),
  'shipping-cost': createResponder('shipping-cost', options, () => ({ unit_amount_cents: 700 })),
  promotion: createResponder('promotion', options, () => refuse('NONE', 'There is no discount.')),
  tax: createResponder('tax', options, () => ({ tax_rate: 0.22 })),
}

/** `onTestFinished` does not know which of several tests at once it is called by. */
const closing: (() => Promise<void>)[] = []
afterAll(async () => {
  await Promise.all(closing.map((close) => close()))
})

async function start(listener: RequestListener): Promise<string> {
  const { url, close } = await listen(listener, '/taxes')
  closing.push(close)
  return url
}

async function probe(url: string, kind: ExternalResourceKind): Promise<ProbeResult[]> {
  const { signal } = new AbortController()
  const about = { fixture: createRequestFixture(kind, SECRET), suite: createSuite(kind), genuine: true, signal }
  return runProbes(new URL(url), { ...about, onProbe: () => {} })
}

type Answer = (response: ServerResponse, body: string) => unknown

/** A responder by hand that verifies the bytes and their type, and then answers as it is told. */
function byHand(answer: Answer): RequestListener {
  const send = async (request: IncomingMessage, response: ServerResponse) => {
    const bytes = await buffer(request).catch(() => Buffer.of())
    const signature = createHmac('sha256', SECRET).update(bytes).digest('base64')
    const isSigned = request.headers['x-commercelayer-signature'] === signature
    if (request.headers['content-encoding'] !== undefined) response.writeHead(415).end()
    else if (!isSigned) response.writeHead(401).end()
    else if (JSON.parse(bytes.toString()).data.type !== 'orders') response.writeHead(400).end()
    else await answer(response, bytes.toString())
  }
  return (request, response) => void send(request, response)
}

const OK = JSON.stringify({ success: true, data: { tax_rate: 0.22 } })

describe.concurrent('the probes of a responder', { timeout: 120_000 }, () => {
  it.each(Object.keys(OURS) as ExternalResourceKind[])('find nothing wrong with ours of %s', async (kind) => {
    const found = await probe(await start(createNodeListener(OURS[kind])), kind)
    expect(found.filter(({ result }) => result !== 'ok')).toEqual([])
    expect(found).toHaveLength(28)
  })

  const WRONG: Readonly<Record<string, { answer: Answer; came: string; means: RegExp }>> = {
    'no JSON': { answer: (response) => response.end('0.22'), came: '200', means: /cannot read it/ },
    'JSON in the form of a receiver': {
      answer: (response) => response.end('{"outcome":"handled"}'),
      came: '200',
      means: /cannot read it/,
    },
    'an error of the server': {
      answer: (response) => response.writeHead(500).end(OK),
      came: '500',
      means: /goes on without an answer/,
    },
    'a refusal without a reason': {
      answer: (response) => response.writeHead(422).end('{}'),
      came: '422',
      means: /cannot read it/,
    },
    'after more than 5 seconds': {
      answer: async (response) => {
        await sleep(5200)
        response.end(OK)
      },
      came: '200, late',
      means: /goes on without an answer/,
    },
  }
  it.each(Object.entries(WRONG))('find an answer that is %s', async (_, { answer, came, means }) => {
    const found = await probe(await start(byHand(answer)), 'tax')
    const plain = found.find((one) => one.probe === 'plain')
    expect([plain?.result, plain?.came]).toEqual(['wrong', came])
    expect(plain?.means).toMatch(means)
  })

  it('find what is answered in chunks to be in form', async () => {
    const url = await start(
      byHand(async (response) => {
        response.write(OK.slice(0, 9))
        await sleep(20)
        response.end(OK.slice(9))
      }),
    )
    expect(listFindings(await probe(url, 'tax')).wrong).not.toContain('plain')
  })

  it('note an answer that is slow, and one that changes from request to request', async () => {
    let count = 0
    const url = await start(
      byHand(async (response, body) => {
        if (body.includes('東京')) await sleep(4200)
        response.end(JSON.stringify({ success: true, data: { tax_rate: ++count / 1000 } }))
      }),
    )
    const { notes, wrong } = listFindings(await probe(url, 'tax'))
    expect(notes).toEqual(expect.arrayContaining(['non-ascii', 'repeated']))
    expect(wrong).not.toContain('plain')
  })

  it('find one that verifies nothing, takes requests of another kind, or needs a topic', async () => {
    const naive = await probe(await start((_, response) => void response.end(OK)), 'tax')
    expect(listFindings(naive).wrong).toEqual(expect.arrayContaining(['forged', 'unsigned', 'other kind']))
    const other = byHand((response) => response.end(OK))
    const anyType: RequestListener = (request, response) => {
      const { headers } = request
      if (headers['x-commercelayer-topic'] !== undefined) return void response.writeHead(400).end()
      other(request, response)
    }
    expect(listFindings(await probe(await start(anyType), 'tax')).wrong).toEqual(['with a topic'])
  })
})

describe('hooklayer doctor --kind', { timeout: 60_000 }, () => {
  it('prints the table, reads the variable of the kind, and ends with 0 where nothing is wrong', async () => {
    const url = await start(createNodeListener(OURS.tax))
    const { exit, stderr } = await runCli(['doctor', url, '--kind', 'tax'], { env: { CL_SECRET_TAX: SECRET } })
    expect(stderr).toMatch(/28 probes: 28 ok, 0 wrong, 0 to note\.\nThe form of answers was checked/)
    expect([exit, stderr.includes(SECRET)]).toEqual([0, false])
  })

  it('ends with 1 where the secret is another one, and with 2 for a kind that there is not', async () => {
    const url = await start(createNodeListener(OURS.tax))
    const other = await runCli(['doctor', url, '--kind', 'tax', '--secret', 'x'.repeat(32), '--json'])
    expect(other.exit).toBe(1)
    expect(other.objects().find((one) => (one as { probe: string }).probe === 'plain')).toMatchObject({
      came: '401',
      result: 'wrong',
      fix: expect.stringContaining('Compare the secret first'),
    })
    const unknown = await runCli(['doctor', url, '--kind', 'payment', '--secret', SECRET])
    expect([unknown.exit, unknown.stderr]).toEqual([2, expect.stringContaining('--kind must be one of prices')])
  })
})
