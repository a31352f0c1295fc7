import type { ResourceReference } from '../../drivers.ts'
import { identify, identifyEvent, type KeptRecord } from '../kept-record.ts'
import { listResources, parseBody, readEmails, readNumber, toBuffer } from '../read-document.ts'

/** Of the ids of deliveries and events. */
const DIGEST = /^[0-9a-f]{64}$/
/** A text that JSON writes as it is. */
const PLAIN = /^[\w@.+#/-]+$/

/** @param wanted in lower case. */
export function createSearch(wanted: string): (kept: KeptRecord) => boolean | Promise<boolean> {
  const isSame = (value: unknown) => typeof value === 'string' && value.toLowerCase() === wanted
  // Most bodies do not have the text at all, and need not be parsed.
  const form = PLAIN.test(wanted) ? new RegExp(wanted.replaceAll(/[.+]/g, '\\$&'), 'i') : undefined

  const searchDigest = async (kept: KeptRecord) => {
    identify(kept)
    if (isSame(kept.deliveryId)) return true
    await identifyEvent(kept)
    return isSame(kept.eventId)
  }
  return (kept) => {
    if (DIGEST.test(wanted)) return searchDigest(kept)
    const { resource, body } = kept
    if (isSame(resource?.id) || isSame(resource?.number)) return true
    if (!body) return false
    if (form && !form.test(toBuffer(body).toString('latin1'))) return false
    return listResources(parseBody(body)).some((one) => [one.id, readNumber(one), ...readEmails(one)].some(isSame))
  }
}

/** Whether a record is about a resource, or its document includes it. */
export function carriesResource({ resource, body }: KeptRecord, { type, id }: ResourceReference): boolean {
  if (resource?.type === type && resource.id === id) return true
  if (!body || !toBuffer(body).includes(id)) return false
  return listResources(parseBody(body)).some((one) => one.type === type && one.id === id)
}
