import { identify, type KeptRecord } from '../kept-record.ts'
import { toBuffer } from '../read-document.ts'

/** As Commerce Layer writes the beginning of an order. */
const ORDER = /^\{"data":\{"id":"([\w-]+)","type":"orders",(?:"links":\{[^{}]*\},)?"attributes":\{"number":"([\w/#-]+)"/
const TYPE = /^\{"data":\{"id":"([\w-]+)","type":"([a-z_]+)"/
const BEGINNING = 512

/**
 * Keeps what a record is about, before its body is dropped. Of one that went well only by the beginning of its body:
 * this happens once for each delivery, and to parse it would take as long as all else.
 */
export function identifyByPrefix(kept: KeptRecord): void {
  const { body, outcome, isIdentified } = kept
  if (isIdentified || !body) return
  if (outcome === 'failed' || outcome === 'discarded') {
    identify(kept)
    return
  }
  const beginning = toBuffer(body).toString('latin1', 0, BEGINNING)
  const [, id, number] = ORDER.exec(beginning) ?? []
  if (id !== undefined && number !== undefined) {
    kept.resource = { type: 'orders', id, number }
    return
  }
  const [, otherId, type] = TYPE.exec(beginning) ?? []
  // An order that begins in another way still has a number somewhere.
  if (otherId === undefined || type === undefined || type === 'orders') identify(kept)
  else kept.resource = { type, id: otherId }
}
