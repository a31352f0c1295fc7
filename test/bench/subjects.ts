import { createHmac, createSecretKey } from 'node:crypto'
import { webhooks as sdkUtils } from '@commercelayer/sdk-utils'
import { Webhooks as Octokit } from '@octokit/webhooks'
import CryptoJS from 'crypto-js'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import Stripe from 'stripe'
import type { createReceiver, Handler } from '../../src/index.ts'
import { SECRET, signedHeaders, TOPIC } from './signed.ts'

/** Takes a received body, with headers that were signed for the body given to `makeFor`. */
type Deliver = (received: Buffer) => unknown

/** A way of receiving a delivery. `makeFor` signs a body in the way that it expects. */
export interface Contestant {
  readonly name: string
  readonly makeFor: (body: Buffer) => Deliver
  readonly async?: boolean
  /** Whether a result means that the body was accepted. Without this function, it throws to refuse a body. */
  readonly isAccepted?: (result: unknown) => boolean
}

/** The minimum of work: hash the bytes, parse the bytes. It checks nothing. */
export const floor: Contestant = {
  name: 'floor: HMAC + JSON.parse',
  makeFor() {
    const key = createSecretKey(SECRET, 'utf8')
    return (received) => {
      createHmac('sha256', key).update(received).digest()
      return JSON.parse(received.toString())
    }
  },
}

export function ours(name: string, create: typeof createReceiver, handler: Handler<typeof TOPIC>): Contestant {
  return {
    name,
    async: true,
    isAccepted: (result) => (result as { status: number }).status === 200,
    makeFor(body) {
      // As the default has it: nothing is written of a delivery that is handled.
      const logger = { warn() {}, error() {} }
      const receiver = create({ secrets: { [TOPIC]: SECRET }, logger }).on(TOPIC, handler)
      const headers = signedHeaders(body)
      return (received) => receiver.receive({ method: 'POST', headers, body: received })
    },
  }
}

export const octokit: Contestant = {
  name: '@octokit/webhooks verifyAndReceive',
  async: true,
  makeFor(body) {
    const webhooks = new Octokit({ secret: SECRET })
    webhooks.on('push', () => {})
    const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`
    return (received) => webhooks.verifyAndReceive({ id: '1', name: 'push', payload: received.toString(), signature })
  },
}

const stripe: Contestant = {
  name: 'stripe constructEvent',
  makeFor(body) {
    const { webhooks } = new Stripe('sk_test_bench')
    const header = webhooks.generateTestHeaderString({ payload: body.toString(), secret: SECRET })
    return (received) => webhooks.constructEvent(received, header, SECRET)
  },
}

const standardWebhooks: Contestant = {
  name: 'standardwebhooks verify',
  makeFor(body) {
    const webhook = new StandardWebhook(Buffer.from(SECRET).toString('base64'))
    const now = new Date()
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': webhook.sign('msg_1', now, body.toString()),
    }
    return (received) => webhook.verify(received, headers)
  },
}

/**
 * These payloads refer back to the order only: if included resources refer to one another, its parse overflows the
 * stack.
 */
const commerceLayer: Contestant = {
  name: '@commercelayer/sdk-utils check + parse',
  makeFor(body) {
    const { 'x-commercelayer-signature': signature = '' } = signedHeaders(body)
    return (received) => {
      const text = received.toString()
      const { ok, message } = sdkUtils.checkSignature(text, signature, SECRET)
      if (!ok) throw new Error(message)
      return sdkUtils.parse.orders(text)
    }
  },
}

/**
 * Commerce Layer's older sample, but over the received text: the sample hashed re-serialized JSON, which fails for
 * every order.
 */
const cryptoJs: Contestant = {
  name: "crypto-js, as in Commerce Layer's older sample",
  makeFor(body) {
    const { 'x-commercelayer-signature': signature } = signedHeaders(body)
    return (received) => {
      const text = received.toString()
      if (CryptoJS.HmacSHA256(text, SECRET).toString(CryptoJS.enc.Base64) !== signature) throw new Error('mismatch')
      return JSON.parse(text)
    }
  },
}

export const others: readonly Contestant[] = [octokit, stripe, standardWebhooks, commerceLayer, cryptoJs]

/** @throws if a contestant refuses what was signed for it, or accepts what was changed by a single byte. */
export async function proveThatItVerifies({ name, makeFor, isAccepted = () => true }: Contestant, body: Buffer) {
  const deliver = makeFor(body)
  const changed = Buffer.from(body)
  changed.write('5', body.indexOf('"number":"4') + '"number":"'.length)
  const accepts = async (received: Buffer) => {
    try {
      return isAccepted(await deliver(received))
    } catch {
      return false
    }
  }
  if (!(await accepts(body))) throw new Error(`${name} refuses a body that was signed for it.`)
  if (await accepts(changed)) throw new Error(`${name} accepts a body with another byte in it.`)
}
