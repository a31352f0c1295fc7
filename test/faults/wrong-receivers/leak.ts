import type { TestDelivery } from 'hooklayer/testing'
import { decodeBody, readSignature, SHOP_SECRET } from './deliveries.ts'

/** A common piece of this length is no coincidence. */
const IN_A_ROW = 16

/** The first private value that a log holds: a secret, a signature, or a part of a payload. */
export function findLeak(
  log: string,
  [good, ...others]: readonly [TestDelivery, ...TestDelivery[]],
): string | undefined {
  if (log.includes(SHOP_SECRET)) return 'the secret'
  const signatures = [good, ...others].map(readSignature).filter((signature) => signature !== '')
  if (signatures.some((signature) => log.includes(signature))) return 'a signature'
  const document = JSON.parse(decodeBody(good))
  const { type, id } = document.data
  // A line may name the resource that it is about: docs/data.md.
  const unnamed = log.replaceAll(JSON.stringify({ type, id }), '')
  if (collectStrings(document).some((text) => isPrivate(text) && unnamed.includes(text)))
    return 'a value of the payload'
  return holdsPiece(unnamed, decodeBody(good)) ? 'a piece of the payload' : undefined
}

function collectStrings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(collectStrings) : []
}

/** Words of the schema, such as `placed` or `SIGNATURE`, are not private. */
function isPrivate(text: string): boolean {
  return text.length > 4 && !/^([a-z_]+|[A-Z_]+)$/.test(text)
}

function holdsPiece(log: string, payload: string): boolean {
  for (let start = 0; start + IN_A_ROW <= log.length; start += 1) {
    if (payload.includes(log.slice(start, start + IN_A_ROW))) return true
  }
  return false
}
