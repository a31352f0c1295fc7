import fc from 'fast-check'
import { createReceiver } from 'hooklayer'
import { describe, expect, it } from 'vitest'
import { ERRORS, OUTCOMES } from '../../src/core/outcomes.ts'
import { bytes, CART, delivery, recordingLogger, SECRET, signed } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'

const { logger } = recordingLogger()
const silent = { ...logger, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const request = delivery('orders.place', CART)
const signature = signed(request.body)
const RUNS = { numRuns: 100 }

type Mutation = (body: Uint8Array, at: number, extra: Uint8Array) => Uint8Array

const toIndex = (body: Uint8Array, at: number) => at % Math.max(1, body.length)
const concat = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]))

const MUTATIONS: Record<string, Mutation> = {
  'a flipped bit': (body, at) => body.map((byte, i) => (i === toIndex(body, at >> 3) ? byte ^ (1 << (at & 7)) : byte)),
  truncation: (body, at) => body.subarray(0, toIndex(body, at)),
  'a missing start': (body, at) => body.subarray(1 + toIndex(body, at)),
  insertion: (body, at, extra) => concat(body.subarray(0, toIndex(body, at)), extra, body.subarray(toIndex(body, at))),
  'appended bytes': (body, _, extra) => concat(body, extra),
  'a swap of two parts': (body, at) => concat(body.subarray(toIndex(body, at)), body.subarray(0, toIndex(body, at))),
  repetition: (body) => concat(body, body),
}

/** Texts that decode to the bytes of the signature, or that a less strict comparison might accept. */
const SPELLINGS: Record<string, string> = {
  'without padding': signature.replace(/=+$/, ''),
  'with more padding': `${signature}=`,
  'in the alphabet for URLs': signature.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '-'),
  'in upper case': signature.toUpperCase(),
  'in lower case': signature.toLowerCase(),
  'with a space before it': ` ${signature}`,
  'with a space behind it': `${signature} `,
  'with a line break behind it': `${signature}\n`,
  'with a line break in it': `${signature.slice(0, 20)}\r\n${signature.slice(20)}`,
  'with a zero byte behind it': `${signature}\0`,
  quoted: `"${signature}"`,
  'escaped for URLs': encodeURIComponent(signature),
  'as hex': Buffer.from(signature, 'base64').toString('hex'),
  'as bytes': Buffer.from(signature, 'base64').toString('latin1'),
}

describe.each(await inBothRuntimes(() => import('hooklayer')))('a forgery on %s', (_, hooklayer) => {
  let handled = 0
  const receiver = hooklayer.createReceiver({ secrets: { 'orders.place': SECRET }, logger: silent })
  receiver.on('*', () => {
    handled += 1
  })
  async function expectRefusal(body: Uint8Array, forged: string) {
    handled = 0
    const headers = { ...request.headers, 'x-commercelayer-signature': forged }
    const answer = await receiver.receive({ ...request, headers, body })
    expect([answer.status, handled]).toEqual([401, 0])
  }

  it('is compared with a genuine delivery, which is handled', async () => {
    handled = 0
    expect((await receiver.receive(request)).status).toBe(200)
    expect(handled).toBe(1)
  })

  it.each(Object.entries(MUTATIONS))('is never accepted when the body is changed by %s', async (_, mutate) => {
    const extra = fc.uint8Array({ minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(fc.nat(), extra, async (at, bytesToAdd) => {
        const mutated = mutate(request.body, at, bytesToAdd)
        fc.pre(Buffer.compare(mutated, request.body) !== 0)
        await expectRefusal(mutated, signature)
      }),
      RUNS,
    )
  })

  it.each(Object.entries(MUTATIONS))('is never accepted when the signature is changed by %s', async (_, mutate) => {
    const characters = fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 20 }).map(bytes)
    await fc.assert(
      fc.asyncProperty(fc.nat(), characters, async (at, charactersToAdd) => {
        const mutated = Buffer.from(mutate(bytes(signature), at, charactersToAdd)).toString('latin1')
        fc.pre(mutated !== signature)
        await expectRefusal(request.body, mutated)
      }),
      RUNS,
    )
  })

  it('is never accepted when its signature decodes to the same bytes, but differs in bits that base64 does not use', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    const last = signature.charAt(42)
    const first = alphabet.indexOf(last) & ~3
    const alike = [...alphabet.slice(first, first + 4)].filter((character) => character !== last)
    expect(alike).toHaveLength(3)
    for (const character of alike) {
      const forged = `${signature.slice(0, 42)}${character}=`
      expect(Buffer.from(forged, 'base64')).toEqual(Buffer.from(signature, 'base64'))
      await expectRefusal(request.body, forged)
    }
  })

  it.each(Object.entries(SPELLINGS))(
    'is never accepted when it has the signature in another form: %s',
    async (_, forged) => {
      expect(forged).not.toBe(signature)
      await expectRefusal(request.body, forged)
    },
  )

  it('is never accepted when it is signed with another secret', async () => {
    const secrets = fc.string({ unit: 'binary' }).filter((secret) => secret !== SECRET)
    await fc.assert(
      fc.asyncProperty(secrets, (secret) => expectRefusal(request.body, signed(request.body, secret))),
      RUNS,
    )
  })
})

const anyHeaders = fc.oneof(
  fc.anything(),
  fc.constant(request.headers),
  fc.dictionary(
    fc.constantFrom('x-commercelayer-signature', 'X-CommerceLayer-Topic', 'content-encoding', 'content-length', 'get'),
    fc.anything(),
  ),
  fc.record({ 'x-commercelayer-signature': fc.anything(), 'x-commercelayer-topic': fc.constant('orders.place') }),
  fc.array(fc.tuple(fc.anything(), fc.anything())),
)
const anyBody = fc.oneof(
  fc.anything(),
  fc.constant(request.body),
  fc.anything().map((thrown) => () => Promise.reject(thrown)),
  fc.anything().map((result) => async () => result),
  fc.anything().map((result) => () => result),
  fc.anything().map((thrown) => () => {
    throw thrown
  }),
)
const anyRequest = fc.oneof(
  { weight: 1, arbitrary: fc.anything() },
  {
    weight: 9,
    arbitrary: fc.record({ method: fc.oneof(fc.constant('POST'), fc.anything()), headers: anyHeaders, body: anyBody }),
  },
)
const statuses = new Set<unknown>([ERRORS, OUTCOMES].flatMap((table) => Object.values(table).flat()))

describe('a receiver', () => {
  it('answers any request with a status of the table and a body of the documented shape', async () => {
    const receiver = createReceiver({
      secrets: { 'orders.place': SECRET },
      logger: silent,
      deadlineMs: 50,
      bodyTimeoutMs: 20,
    })
    await fc.assert(
      fc.asyncProperty(anyRequest, async (anything) => {
        const { status, headers, body } = await receiver.receive(anything as never)
        expect(statuses).toContain(status)
        expect(headers['content-type']).toBe('application/json')
        expectDocumentedShape(JSON.parse(body))
      }),
      { numRuns: 1000 },
    )
  })

  it('answers HANDLER_FAILED whatever its handlers throw', async () => {
    await fc.assert(
      fc.asyncProperty(fc.anything(), fc.boolean(), async (thrown, later) => {
        const receiver = createReceiver({ secrets: { 'orders.place': SECRET }, logger: silent })
        receiver.on('orders.place', () => {
          if (later) return Promise.reject(thrown)
          throw thrown
        })
        const { status, body } = await receiver.receive(request)
        expect([status, JSON.parse(body).error.code]).toEqual([500, 'HANDLER_FAILED'])
      }),
      RUNS,
    )
  })

  it('answers even if a thrown value throws when it is inspected', async () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const receiver = createReceiver({ secrets: { 'orders.place': SECRET }, logger: silent })
    const refuse = () => {
      throw proxy
    }
    for (const hostile of [{ body: refuse }, { headers: { get: refuse, append: refuse } }]) {
      const answer = await receiver.receive({ ...request, ...hostile }).catch(() => 'rejected')
      expect(answer).toMatchObject({ status: expect.any(Number) })
    }
  })
})

function expectDocumentedShape(answer: Record<string, unknown>) {
  if ('outcome' in answer) {
    expect(answer).toEqual({ outcome: expect.toBeOneOf(Object.keys(OUTCOMES)) })
  } else {
    expect(answer).toEqual({
      error: { code: expect.toBeOneOf(Object.keys(ERRORS)), message: expect.stringMatching(/^[A-Z].*\.$/) },
    })
  }
}
