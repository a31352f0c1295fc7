import { createHash } from 'node:crypto'
import type { Queue, QueueOptions } from 'bullmq'
import { withTimeout } from '../../core/deadline.ts'
import { type BackEndOptions, type BullMq, loadOptional, type OpenBackEnd, openBackEnd } from './back-end.ts'
import { createGroupOrder, type GroupLine, type GroupOrder } from './group-order.ts'
import { backoffStrategy, type JobData, type Lane } from './job.ts'

export interface OpenLanes extends Pick<OpenBackEnd, 'returnJob' | 'warning'> {
  /** The first is for what has no group. Of each of the others one delivery is handled at a time, however many workers there are. */
  readonly lanes: readonly Lane[]
  /** Of the groups in which something has failed. */
  readonly groupOrder: GroupOrder
  laneOf(group: string | undefined): Lane
  close(): Promise<void>
}

interface LanesOptions extends BackEndOptions {
  readonly name: string
  readonly leaseMs: number
}

/** How many groups are worked on at once. All processes must agree on it, or a group would be in two lanes. */
const GROUP_LANES = 8
const OPEN_MS = 4000

/** Connects to the back end, and rejects if it does not answer. */
export async function openLanes(options: LanesOptions): Promise<OpenLanes> {
  const bullmq = await loadOptional('bullmq', import('bullmq'))
  const backEnd = await openBackEnd(options, bullmq)
  const grouped = Array.from({ length: GROUP_LANES }, (_, at) =>
    openLane(`${options.name}~${at + 1}`, backEnd, options, bullmq),
  )
  const ungrouped = openLane(options.name, backEnd, options, bullmq)
  const lines = openQueue<GroupLine>(`${options.name}~lines`, backEnd, bullmq)
  const lanes = [ungrouped, ...grouped]
  const opened = [lines, ...lanes.flatMap(({ queue, worker }) => [queue, worker])]
  const close = async () => {
    await Promise.all(opened.map((one) => one.close()))
    await backEnd.close()
  }
  const ready = Promise.all(opened.map((one) => one.waitUntilReady()))
  try {
    await withTimeout(ready, OPEN_MS, () => new Error('There is no answer.'))
    await Promise.all(grouped.map(({ queue }) => queue.setGlobalConcurrency(1)))
  } catch (error) {
    await close()
    throw error
  }
  return {
    ...backEnd,
    lanes,
    groupOrder: createGroupOrder(lines),
    laneOf: (group) => (group === undefined ? ungrouped : (grouped[hashGroup(group) % GROUP_LANES] ?? ungrouped)),
    close,
  }
}

function hashGroup(group: string): number {
  return createHash('sha256').update(group).digest().readUInt32BE()
}

function openLane(name: string, backEnd: OpenBackEnd, { leaseMs }: LanesOptions, bullmq: BullMq): Lane {
  const worker = new bullmq.Worker<JobData>(
    name,
    null,
    {
      ...sharedOptions(backEnd),
      lockDuration: leaseMs,
      stalledInterval: leaseMs / 2,
      maxStalledCount: 2 ** 31 - 1,
      settings: { backoffStrategy: backoffStrategy },
    },
    backEnd.create,
  )
  worker.on('error', ignore)
  return { worker, queue: openQueue<JobData>(name, backEnd, bullmq) }
}

function openQueue<T>(name: string, backEnd: OpenBackEnd, { Queue }: BullMq): Queue<T> {
  const queue = new Queue<T>(name, { ...sharedOptions(backEnd), streams: { events: { maxLen: 100 } } }, backEnd.create)
  queue.on('error', ignore)
  return queue
}

/** BullMQ's check of versions writes to the console. */
function sharedOptions({ connection }: OpenBackEnd): Pick<QueueOptions, 'connection' | 'skipVersionCheck'> {
  return { connection, skipVersionCheck: true }
}

/** Whoever calls BullMQ is told by the call itself. But an `error` that nobody listens to would end the process. */
function ignore(): void {}
