/** Wrong: a Lambda that compares with a digest in hex. */
import { createHmac } from 'node:crypto'

interface Event {
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: string | null
}

export function createHandler(secret: string) {
  return async (event: Event) => {
    const body = event.body ?? ''
    const digest = createHmac('sha256', secret).update(body).digest('hex')
    const headers = { 'content-type': 'application/json' }
    if (event.headers?.['x-commercelayer-signature'] !== digest) {
      return { statusCode: 401, headers, body: '{"message":"Unauthorized"}' }
    }
    return { statusCode: 200, headers, body: '{"ok":true}' }
  }
}
