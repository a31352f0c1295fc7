import { setImmediate } from 'node:timers/promises'
import { type CheckedQuery, checkQuery, checkReference, checkStatisticsQuery, toId, toNumber } from '../check-query.ts'
import { countRecords } from '../count-records.ts'
import { identify, identifyEvent, type KeptRecord, readStages, toRecord } from '../kept-record.ts'
import { createMask, maskDetails, maskRecord } from '../mask-record.ts'
import { parseBody } from '../read-document.ts'
import { readHeaders } from '../read-headers.ts'
import type { DeliveryRecord, RecordDetails } from '../record.ts'
import { MAX_REFUSED_BODY_BYTES, type RecordListener, type Records } from '../records.ts'
import { identifyByPrefix } from './identify-by-prefix.ts'
import { Ring } from './ring.ts'
import { carriesResource, createSearch } from './search.ts'

export interface MemoryLimits {
  readonly max: number
  readonly maxBytes: number
  /** What is given is masked, unless this is `undefined`. */
  readonly mask: { readonly allow: readonly string[] } | undefined
}

/** Refused requests have a ring of their own, so that strangers cannot replace genuine deliveries. */
const REFUSED_SHARE = 10
/** How long a search may block the process, in milliseconds. */
const TURN_MS = 10
/** How long new records are gathered for listeners. */
const GATHER_MS = 50
/** How many new records wait for listeners at most. Later ones are left out: whoever listens can list them. */
const MAX_GATHERED = 1000

export function createMemoryRecords({ max, maxBytes, mask }: MemoryLimits): Records {
  const genuine = new Ring({ max, maxBytes, maxBodyBytes: maxBytes, onDrop: identifyByPrefix })
  const refused = new Ring({
    max: Math.ceil(max / REFUSED_SHARE),
    maxBytes: Math.ceil(maxBytes / REFUSED_SHARE),
    maxBodyBytes: MAX_REFUSED_BODY_BYTES,
    onDrop: () => {},
  })
  const listeners = new Set<RecordListener>()
  let gathered: (readonly [number: number, kept: KeptRecord])[] = []
  let added = 0

  function toRow(number: number, kept: KeptRecord): DeliveryRecord {
    const record = toRecord(toId(number), kept)
    return mask ? maskRecord(record, createMask(readDocument(kept), mask.allow)) : record
  }

  function tellListeners(): void {
    const told = gathered
    gathered = []
    for (const listener of listeners) {
      try {
        listener(told.map(([number, kept]) => toRow(number, kept)))
      } catch {
        // It is no concern of the deliveries.
      }
    }
  }

  /** Both rings together, the newest first. */
  function* newestFirst(before: number) {
    const rings = [genuine.newestFirst(before), refused.newestFirst(before)]
    const heads = rings.map((ring) => ring.next())
    for (;;) {
      const numbers = heads.map((head) => (head.done ? -1 : head.value.number))
      const at = Number(numbers[0]) > Number(numbers[1]) ? 0 : 1
      const head = heads[at]
      const ring = rings[at]
      if (!head || head.done || !ring) return
      yield head.value
      heads[at] = ring.next()
    }
  }

  return {
    add(kept) {
      added += 1
      const ring = kept.outcome === 'refused' ? refused : genuine
      ring.add(added, kept)
      if (listeners.size === 0 || gathered.length === MAX_GATHERED) return
      if (gathered.push([added, kept]) === 1) setTimeout(tellListeners, GATHER_MS).unref()
    },
    async list(query) {
      const checked = checkQuery(query)
      const matches = createFilter(checked)
      const found: DeliveryRecord[] = []
      let turn = performance.now()
      for (const { number, kept } of newestFirst(checked.before)) {
        if (performance.now() - turn > TURN_MS) {
          await setImmediate()
          turn = performance.now()
        }
        const matching = matches(kept)
        if (!(typeof matching === 'boolean' ? matching : await matching)) continue
        if (found.length === checked.limit) return { records: found, hasMore: true }
        found.push(toRow(number, kept))
      }
      return { records: found, hasMore: false }
    },
    async get(id) {
      const number = toNumber(id)
      const kept = number === undefined ? undefined : (genuine.find(number) ?? refused.find(number))
      if (!kept || number === undefined) return undefined
      await identifyEvent(kept)
      return toDetails(toId(number), kept, mask)
    },
    async statistics(query) {
      checkStatisticsQuery(query)
      const counted = (function* () {
        for (const { kept } of newestFirst(Number.POSITIVE_INFINITY)) {
          const { receivedAt, outcome, error, handlers } = kept
          yield { receivedAt, outcome, code: error?.code, handlerMs: handlers.map(({ durationMs }) => durationMs) }
        }
      })()
      return { spans: countRecords(counted, query), missed: 0, records: genuine.size + refused.size }
    },
    subscribe(listener) {
      const own: RecordListener = (records) => listener(records)
      listeners.add(own)
      return () => {
        listeners.delete(own)
      }
    },
    async erase(resource) {
      checkReference(resource)
      const isWanted = (kept: KeptRecord) => carriesResource(kept, resource)
      return genuine.removeWhere(isWanted) + refused.removeWhere(isWanted)
    },
    async close() {
      listeners.clear()
      gathered = []
    },
  }
}

function toDetails(id: string, kept: KeptRecord, mask: MemoryLimits['mask']): RecordDetails {
  const { eventId, method, handlers, body, difference } = kept
  const stages = readStages(kept)
  const headers = readHeaders(kept.headers)
  const details = { ...toRecord(id, kept), eventId, method, headers, stages, handlers, body, isMasked: false }
  if (mask) return maskDetails(details, difference, createMask(readDocument(kept), mask.allow))
  return { ...details, body: body && new Uint8Array(body), difference: difference?.full }
}

function readDocument({ body }: KeptRecord): () => unknown {
  return () => body && parseBody(body)
}

type Filter = (kept: KeptRecord) => boolean | Promise<boolean>

function createFilter(query: CheckedQuery): Filter {
  const { topic, outcomes, code, source, since, until, deliveryId, search } = query
  const searches = search === undefined ? undefined : createSearch(search)
  return (kept) => {
    if (topic !== undefined && kept.topic !== topic) return false
    if (outcomes && !outcomes.includes(kept.outcome)) return false
    if (code !== undefined && kept.error?.code !== code) return false
    if (source !== undefined && kept.source !== source) return false
    if (since && kept.receivedAt < since.getTime()) return false
    if (until && kept.receivedAt >= until.getTime()) return false
    if (deliveryId !== undefined && readDeliveryId(kept) !== deliveryId) return false
    return searches ? searches(kept) : true
  }
}

function readDeliveryId(kept: KeptRecord): string | undefined {
  identify(kept)
  return kept.deliveryId
}
