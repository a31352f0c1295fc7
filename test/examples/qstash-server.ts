import { createHash, createHmac, randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { listen } from '../contracts/adapter/listen.ts'

/** A QStash that takes messages, and calls when it is told to. */
export interface QstashServer {
  readonly url: string
  /** What was published, and was no duplicate, in the order in which it came. */
  readonly messages: readonly Message[]
  /**
   * Calls the URL of a message, with a signature for that or for another: the answer's status, and whether it says not
   * to try again.
   */
  call(message: Message | undefined, key: string, signed?: Message): Promise<readonly [number, string | null]>
  close(): Promise<void>
}

interface Message {
  readonly url: string
  readonly body: string
}

/**
 * `/v2/publish/<url>` of QStash: a bearer's token, ids that are known, 201 with the id of the message, or 202 if it is
 * a duplicate. Source: Upstash's documentation of QStash, "Publish" and "Deduplication".
 */
export async function startQstash(token: string): Promise<QstashServer> {
  const messages: Message[] = []
  const ids = new Map<string, string>()
  const { url, close } = await listen(async (request, response) => {
    const body = await text(request)
    const [, target] = /^\/v2\/publish\/(.+)$/.exec(request.url ?? '') ?? []
    if (request.headers.authorization !== `Bearer ${token}` || !target) return response.writeHead(401).end('{}')
    const given = String(request.headers['upstash-deduplication-id'])
    const known = ids.get(given)
    const messageId = known ?? `msg_${randomUUID()}`
    ids.set(given, messageId)
    if (!known) messages.push({ url: target, body })
    return response.writeHead(known ? 202 : 201).end(JSON.stringify({ messageId, deduplicated: known !== undefined }))
  })
  return { url, messages, call, close }
}

async function call(
  message: Message | undefined,
  key: string,
  signed: Message | undefined = message,
): Promise<readonly [number, string | null]> {
  if (!message || !signed) throw new Error('Nothing was published.')
  const headers = { 'content-type': 'application/json', 'upstash-signature': tokenOf(signed, key) }
  const { status, headers: answered } = await fetch(message.url, { method: 'POST', headers, body: message.body })
  return [status, answered.get('upstash-nonretryable-error')]
}

/** A JSON Web Token with the claims that QStash makes. Source: Upstash's documentation of QStash, "Security". */
function tokenOf({ url, body: content }: Message, key: string): string {
  const now = Math.floor(Date.now() / 1000)
  const body = createHash('sha256').update(content).digest('base64url')
  const claims = { iss: 'Upstash', sub: url, exp: now + 300, nbf: now, iat: now, jti: `jwt_${randomUUID()}`, body }
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => base64url(JSON.stringify(part))).join('.')
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
}

function base64url(plain: string): string {
  return Buffer.from(plain).toString('base64url')
}
