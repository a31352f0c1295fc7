import { EXTERNAL_HOLDERS, type ExternalResourceKind } from '../../commerce-layer/external-resources.ts'
import { UNANSWERED_TO_OPEN } from '../../commerce-layer/limits.ts'
import type { EmulatedCircuit, Emulator } from '../../emulator/index.ts'
import type { HolderCircuit, HolderItem, Holders } from '../api.ts'
import { API_TIMEOUT_MS, createCachedRead } from './cached-read.ts'
import type { Context } from './context.ts'
import type { Mask } from './mask.ts'
import { notFound, Refusal } from './problem.ts'
import type { Route } from './routes.ts'

/** An organization may have thousands of promotions, and the rate limit is shared. */
const MAX_OF_A_TYPE = 100
/** How many line items or orders of one market are shown. */
const MAX_CIRCUITS = 20

/** What holds external resources, with its circuits: that of the emulator if there is one, because it can be asked. */
export function listHolderRoutes(context: Context): readonly Route[] {
  const { management, emulator } = context.settings
  const source = emulator ? createEmulatorSource(emulator) : management && createApiSource(context)
  if (!source) return []
  return [
    {
      method: 'GET',
      path: '/api/holders',
      async answer() {
        const { holders, hasMore } = await source.list()
        const items = holders.map((holder) => toHolderItem(holder, context.mask))
        return Response.json({ items, hasMore } satisfies Holders)
      },
    },
    {
      method: 'POST',
      path: '/api/holders/:id/reset',
      async answer({ params: { id = '' } }) {
        await source.reset(findHolder((await source.list()).holders, id))
        const { holders } = await source.list()
        return Response.json(toHolderItem(findHolder(holders, id), context.mask) satisfies HolderItem)
      },
    },
  ]
}

interface Circuit {
  readonly circuit_state?: string | null | undefined
  readonly circuit_failure_count?: number | null | undefined
}

/** A holder with the names of the API, once for each kind. */
interface Holder extends Circuit {
  readonly id: string
  readonly type: string
  readonly kind: ExternalResourceKind
  readonly name: string
  readonly url: string
  /** Of a market, as far as they are known. */
  readonly circuits?: readonly EmulatedCircuit[]
}

interface Found {
  readonly holders: readonly Holder[]
  readonly hasMore: boolean
}

interface HolderSource {
  list(): Promise<Found>
  /** Closes all circuits of the holder. */
  reset(holder: Holder): Promise<void>
}

function createEmulatorSource(emulator: Emulator): HolderSource {
  return {
    list: async () => ({ holders: emulator.holders, hasMore: false }),
    reset: async ({ id }) => emulator.resetCircuit(id),
  }
}

function createApiSource({ settings: { management }, ask }: Context): HolderSource {
  const apis = {
    markets: management?.markets,
    shipping_methods: management?.shippingMethods,
    external_promotions: management?.externalPromotions,
    external_tax_calculators: management?.externalTaxCalculators,
  }
  type Type = keyof typeof apis
  const found = createCachedRead(() => ask('management', readAll))

  async function readAll(): Promise<Found> {
    const signal = AbortSignal.timeout(API_TIMEOUT_MS)
    const lists = await Promise.all((Object.keys(apis) as Type[]).map((type) => readType(type, signal)))
    return { holders: lists.flatMap(({ holders }) => holders), hasMore: lists.some(({ hasMore }) => hasMore) }
  }

  async function readType(type: Type, signal: AbortSignal): Promise<Found> {
    const holders: Holder[] = []
    let count = 0
    for await (const record of apis[type]?.list({ signal }) ?? []) {
      if (++count > MAX_OF_A_TYPE) return { holders, hasMore: true }
      holders.push(...toHolders(type, record))
    }
    return { holders, hasMore: false }
  }

  return {
    list: found.get,
    async reset({ id, type }) {
      const api = apis[type as Type]
      if (!api || !('resetCircuit' in api)) {
        throw new Refusal(409, 'A market has no circuit: those of its line items and orders are reset one by one.')
      }
      await ask<unknown>('management', () => api.resetCircuit(id, { signal: AbortSignal.timeout(API_TIMEOUT_MS) }))
      found.invalidate()
    },
  }
}

interface HolderRecord extends Circuit {
  readonly id: string
  readonly name: string
  readonly scheme?: string | null
}

/** A market has one URL for prices and one for validations. A shipping method of another scheme is not asked. */
function toHolders(type: string, record: HolderRecord): Holder[] {
  const { id, name, circuit_state, circuit_failure_count } = record
  if (type === 'shipping_methods' && record.scheme !== 'external') return []
  return Object.entries(EXTERNAL_HOLDERS).flatMap(([kind, holder]) => {
    const url: unknown = Object(record)[holder.urlAttribute]
    if (holder.type !== type || typeof url !== 'string') return []
    return [{ id, type, kind: kind as ExternalResourceKind, name, url, circuit_state, circuit_failure_count }]
  })
}

export function findHolder<H extends Holder>(holders: readonly H[], id: string): H {
  const found = holders.find((holder) => holder.id === id)
  if (!found) throw notFound('holder')
  return found
}

/** @param resourceId only the circuit of a call about this resource. */
export function toHolderItem(holder: Holder, mask: Mask, resourceId?: string): HolderItem {
  const { id, type, kind, name, url, circuits = [] } = holder
  const counting = circuits
    .filter((circuit) => (resourceId === undefined ? circuit.circuit_failure_count > 0 : circuit.id === resourceId))
    .toSorted((one, other) => other.circuit_failure_count - one.circuit_failure_count)
    .slice(0, MAX_CIRCUITS)
  return {
    id,
    kind,
    name: mask.text(name),
    url: mask.url(url),
    circuits:
      type === 'markets'
        ? counting.map((circuit) => ({ resource: { type: circuit.type, id: circuit.id }, ...toCircuit(circuit) }))
        : [toCircuit(holder)],
  }
}

function toCircuit({ circuit_state, circuit_failure_count }: Circuit): Omit<HolderCircuit, 'resource'> {
  const isOpen = circuit_state === 'open'
  const failures = circuit_failure_count ?? 0
  return {
    state: isOpen ? 'open' : 'closed',
    failures,
    failuresLeft: isOpen ? 0 : Math.max(0, UNANSWERED_TO_OPEN - failures),
  }
}
