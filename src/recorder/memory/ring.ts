import type { KeptRecord } from '../kept-record.ts'

export interface RingLimits {
  readonly max: number
  /** Of all bodies. */
  readonly maxBytes: number
  /** Of one body; a larger one is not kept. */
  readonly maxBodyBytes: number
  /** Is called before the body of a record is dropped. */
  readonly onDrop: (kept: KeptRecord) => void
}

interface Entry {
  /** Numbers count all records. */
  readonly number: number
  readonly kept: KeptRecord
}

/** The last records, and the last bodies of these. */
export class Ring {
  readonly #limits: RingLimits
  readonly #entries: (Entry | undefined)[] = []
  /** How many were ever added: the place of the next one. */
  #added = 0
  /** The place of the oldest one that may have a body. */
  #withBody = 0
  #bytes = 0
  #size = 0

  constructor(limits: RingLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#size
  }

  add(number: number, kept: KeptRecord): void {
    const { max, maxBytes, maxBodyBytes } = this.#limits
    if (kept.body && kept.body.byteLength > Math.min(maxBodyBytes, maxBytes)) this.#drop(kept)
    this.#remove(this.#added - max)
    this.#entries[this.#added % max] = { number, kept }
    this.#added += 1
    this.#size += 1
    this.#bytes += kept.body?.byteLength ?? 0
    while (this.#bytes > maxBytes) this.#dropOldest()
  }

  find(wanted: number): KeptRecord | undefined {
    for (const { number, kept } of this.newestFirst(wanted + 1)) return number === wanted ? kept : undefined
    return undefined
  }

  /** Records with a number below `before`. Others may be added meanwhile. */
  *newestFirst(before = Number.POSITIVE_INFINITY): Generator<Entry> {
    for (let place = this.#findPlace(before) - 1; place >= Math.max(0, this.#added - this.#limits.max); place--) {
      const entry = this.#at(place)
      if (entry) yield entry
    }
  }

  /** Removes the records of which this is true. */
  removeWhere(isWanted: (kept: KeptRecord) => boolean): number {
    let removed = 0
    for (let place = Math.max(0, this.#added - this.#limits.max); place < this.#added; place++) {
      const entry = this.#at(place)
      if (!entry || !isWanted(entry.kept)) continue
      this.#remove(place)
      removed += 1
    }
    return removed
  }

  /** The first place whose record, or that of the last place before which has one, is not below a number. */
  #findPlace(before: number): number {
    if (before === Number.POSITIVE_INFINITY) return this.#added
    let place = this.#added
    const oldest = Math.max(0, this.#added - this.#limits.max)
    let low = oldest
    while (low < place) {
      const middle = Math.floor((low + place) / 2)
      let probe = middle
      while (probe > low && !this.#at(probe)) probe--
      if (Number(this.#at(probe)?.number ?? Number.NEGATIVE_INFINITY) < before) low = middle + 1
      else place = probe
    }
    return low
  }

  #at(place: number): Entry | undefined {
    return this.#entries[place % this.#limits.max]
  }

  #remove(place: number): void {
    const entry = place < 0 ? undefined : this.#at(place)
    if (!entry) return
    this.#bytes -= entry.kept.body?.byteLength ?? 0
    this.#entries[place % this.#limits.max] = undefined
    this.#size -= 1
  }

  #dropOldest(): void {
    this.#withBody = Math.max(this.#withBody, this.#added - this.#limits.max)
    const kept = this.#at(this.#withBody)?.kept
    this.#withBody += 1
    if (!kept?.body) return
    this.#bytes -= kept.body.byteLength
    this.#drop(kept)
  }

  #drop(kept: KeptRecord): void {
    this.#limits.onDrop(kept)
    kept.body = undefined
  }
}
