import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import { built } from './built.ts'
import { orderOfSize } from './payloads.ts'
import { asCell, type Findings } from './report.ts'
import { compare } from './rounds.ts'
import { SECRET, signedHeaders } from './signed.ts'

const BYTES = 20_000
const BY_HAND = 'by hand: HMAC, JSON.parse, JSON.stringify'
const OURS = 'a responder'
const CACHED = 'a responder, the answer from its cache'

interface Line {
  readonly id: string
  readonly type: string
}

/** What a request of taxes costs in process, from the bytes in memory to the answer, as a ratio to code by hand. */
export async function benchResponder(progress: (message: string) => void): Promise<Findings> {
  const { createResponder } = await built('responder')
  const body = orderOfSize(BYTES, 'ascii')
  const headers = signedHeaders(body)
  const request = { method: 'POST', headers, body }
  const options = { secret: SECRET, logger: { warn() {}, error() {} } }
  const handler = ({ resource }: { resource: { line_items: Line[] } }) => toAnswer(resource.line_items)
  const responder = createResponder('tax', options, handler)
  const cached = createResponder('tax', { ...options, answerCacheMs: 60_000 }, handler)
  const key = createSecretKey(SECRET, 'utf8')
  const byHand = () => {
    const expected = createHmac('sha256', key).update(body).digest()
    const given = Buffer.from(String(headers['x-commercelayer-signature']), 'base64')
    if (!timingSafeEqual(expected, given)) throw new Error('forged')
    const { included } = JSON.parse(body.toString()) as { readonly included: readonly Line[] }
    return JSON.stringify({ success: true, data: toAnswer(included.filter(({ type }) => type === 'line_items')) })
  }
  for (const one of [responder, cached]) {
    const answer = await one.receive(request)
    if (answer.status !== 200 || answer.body !== byHand()) throw new Error(`It answers otherwise: ${answer.body}`)
  }
  progress('one request of taxes of 20 KB')
  const subjects = [
    { name: BY_HAND, run: byHand },
    { name: OURS, async: true, run: () => responder.receive(request) },
    { name: CACHED, async: true, run: () => cached.receive(request) },
  ]
  const { microsecondsOf, ratioOf } = await compare(subjects, { rounds: 200, ms: 6 })
  const rows = subjects.map(({ name }) => [
    name,
    `${microsecondsOf(name).toFixed(0)} µs`,
    asCell(ratioOf(name, BY_HAND)),
  ])
  return {
    tables: [
      { title: 'A request of taxes, 20 KB in process: ratio to code by hand (p10–p90)', head: ['', 'time', ''], rows },
    ],
    bars: [{ what: `${OURS} ÷ by hand, 20 KB`, figure: ratioOf(OURS, BY_HAND).median, atMost: 1.1 }],
  }
}

function toAnswer(lines: readonly Line[]) {
  return { tax_rate: 0.22, line_items: lines.map(({ id }) => ({ id, tax_rate: 0.1 })) }
}
