import { benchMemory } from './memory.ts'
import { benchProcesses } from './processes.ts'
import { type Findings, inOrder } from './report.ts'
import { benchRoundTrips } from './round-trips.ts'
import { benchStoreCost } from './store-cost.ts'
import { benchStoreLatency } from './store-latency.ts'

/** Handling each event once: cost, throughput of several processes, and memory. */
export function benchStores(progress: (message: string) => void): Promise<Findings> {
  const processes = () => benchProcesses('inline', progress)
  const memory = () => benchMemory('store', progress)
  return inOrder([benchRoundTrips, benchStoreCost, benchStoreLatency, processes, memory], progress)
}
