import { benchAcknowledging } from './acknowledge.ts'
import { benchBacklog } from './backlog.ts'
import { benchDeferring } from './deferred.ts'
import { benchDrainingBullmq } from './drain-bullmq.ts'
import { benchDrainingSqlite } from './drain-sqlite.ts'
import { benchMemory } from './memory.ts'
import { benchProcesses } from './processes.ts'
import { type Findings, inOrder } from './report.ts'

/** Storing deliveries for a worker: cost, gain, draining, throughput of several processes, memory, and long queues. */
export function benchInboxes(progress: (message: string) => void): Promise<Findings> {
  const processes = () => benchProcesses('deferred', progress)
  const memory = () => benchMemory('inbox', progress)
  return inOrder(
    [benchAcknowledging, benchDeferring, benchDrainingSqlite, benchDrainingBullmq, processes, memory, benchBacklog],
    progress,
  )
}
