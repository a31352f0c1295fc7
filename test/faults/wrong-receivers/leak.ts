import { TEST_SECRET, type TestDelivery } from 'hooklayer/testing'
import { signatureOf, textOf } from './deliveries.ts'

/** So many characters in a row that are in a payload, too, are no chance. */
const IN_A_ROW = 16

/** What a log holds that is nobody's business: a secret, a signature, or any part of a payload. */
export function leakIn(log: string, [good, ...others]: readonly [TestDelivery, ...TestDelivery[]]): string | undefined {
  if (log.includes(TEST_SECRET)) return 'the secret'
  const signatures = [good, ...others].map(signatureOf).filter((signature) => signature !== '')
  if (signatures.some((signature) => log.includes(signature))) return 'a signature'
  const told = stringsIn(JSON.parse(textOf(good))).filter(isTelling)
  if (told.some((text) => log.includes(text))) return 'a value of the payload'
  return holdsPiece(log, textOf(good)) ? 'a piece of the payload' : undefined
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : []
}

/** Words of a schema, as `placed` or `SIGNATURE`, are not telling. */
function isTelling(text: string): boolean {
  return text.length > 4 && !/^([a-z_]+|[A-Z_]+)$/.test(text)
}

function holdsPiece(log: string, payload: string): boolean {
  for (let start = 0; start + IN_A_ROW <= log.length; start += 1) {
    if (payload.includes(log.slice(start, start + IN_A_ROW))) return true
  }
  return false
}
