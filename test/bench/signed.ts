import { createHmac } from 'node:crypto'

/** A shared secret like those of Commerce Layer: 32 hexadecimal digits, used as text. */
export const SECRET = '08e48e1f6a7b7e62e2a5e9a36b0d5a0e'
export const TOPIC = 'orders.place'

/** The headers of a delivery, in lower case as Node has them. */
export function signedHeaders(body: Buffer): Record<string, string> {
  return {
    'user-agent': 'CommerceLayer Module',
    accept: 'application/json, text/plain, */*',
    'accept-encoding': 'gzip',
    'content-type': 'application/json',
    'content-length': String(body.length),
    'x-commercelayer-topic': TOPIC,
    'x-commercelayer-signature': createHmac('sha256', SECRET).update(body).digest('base64'),
  }
}

/** The headers of the same body as GitHub would deliver it, for `@octokit/webhooks`. */
export function githubHeaders(body: Buffer): Record<string, string> {
  return {
    accept: '*/*',
    'content-type': 'application/json',
    'content-length': String(body.length),
    'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    'x-github-event': 'push',
    'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
  }
}
