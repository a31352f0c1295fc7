import type { JobJson, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { parseRecord } from '../queue/stored-failure.ts'
import type { EngineJobs, JobCount, JobRecord, LockedJob } from './engine-jobs.ts'
import { SCRIPTS } from './redis-scripts.ts'

/** How many jobs one script counts. No other command runs meanwhile. */
const COUNTED_AT_ONCE = 2000

/** @param queues are the lanes, in the same order in all processes. */
export function createRedisJobs(client: Redis, queues: readonly Queue[]): EngineJobs {
  const lanes = new Map(queues.map((queue, lane) => [queue.name, { lane, keyPrefix: queue.toKey('') }]))
  const keyPrefixes = [...lanes.values()].map(({ keyPrefix }) => keyPrefix)
  const topicsKey = `${keyPrefixes[0]}unhandled`

  function findLane(name: string): { readonly lane: number; readonly keyPrefix: string } {
    const found = lanes.get(name)
    if (!found) throw new Error(`There is no queue ${name}.`)
    return found
  }

  const toUnhandledKey = (topic: string) => `${topicsKey}:${topic}`
  const run = createRunner(client)

  async function runOn({ queue, id, token }: LockedJob, script: keyof typeof SCRIPTS, ...args: (string | number)[]) {
    return (await run(script, [], [findLane(queue).keyPrefix, id, token, ...args])) === 1
  }

  /** Jobs that are added or removed meanwhile may be counted twice, or not at all. */
  async function countList(keyPrefix: string, state: JobCount['state'], list: string): Promise<JobCount[]> {
    const counts: JobCount[] = []
    for (let start = 0; ; start += COUNTED_AT_ONCE) {
      const args = [keyPrefix, list, start, start + COUNTED_AT_ONCE - 1]
      const [read, ...topics] = (await run('count', [], args)) as [number, ...[string, number, number, string][]]
      for (const [topic, isUnhandled, count, oldest] of topics) {
        counts.push({ topic, state: isUnhandled ? 'unhandled' : state, count, oldest: Number(oldest) })
      }
      if (read < COUNTED_AT_ONCE) return counts
    }
  }

  return {
    async take(queue, tokens, leaseMs) {
      const args = [findLane(queue).keyPrefix, Date.now(), leaseMs, ...tokens]
      const taken = (await run('take', [], args)) as (readonly (string | null)[])[]
      return taken.map((fields, i) => ({ job: toJobJson(fields), token: tokens[i] ?? '' }))
    },
    async complete(jobs) {
      const locked = jobs.flatMap(({ queue, id, token }) => [findLane(queue).keyPrefix, id, token])
      const completed = (await run('complete', [], [Date.now(), ...locked])) as number[]
      return completed.map((isHeld) => isHeld === 1)
    },
    giveBack: (job) => runOn(job, 'giveBack'),
    async giveBackToken(queue, token) {
      const id = await findLocked(client, findLane(queue).keyPrefix, token)
      if (id !== undefined) await runOn({ queue, id, token }, 'giveBack')
    },
    delay: (job, until, note) => runOn(job, 'delay', until, note),
    async setAside({ queue, id, token }, topic, until, note) {
      const { lane, keyPrefix } = findLane(queue)
      const keys = [topicsKey, toUnhandledKey(topic)]
      return (await run('delay', keys, [keyPrefix, id, token, until, note, topic, `${lane}:${id}`, Date.now()])) === 1
    },
    async countUnhandled() {
      const counts = (await run('countUnhandled', [topicsKey], [])) as [string, number][]
      return new Map(counts)
    },
    async callBack(topic, count, note = '') {
      return (await run('callBack', [topicsKey, toUnhandledKey(topic)], [topic, count, note, ...keyPrefixes])) as number
    },
    forgetUnhandled: (queue, id, topic) => client.zrem(toUnhandledKey(topic), `${findLane(queue).lane}:${id}`),
    async count() {
      const counted = keyPrefixes.flatMap((keyPrefix) => [
        countList(keyPrefix, 'queued', 'wait'),
        countList(keyPrefix, 'running', 'active'),
        countList(keyPrefix, 'failed', 'delayed'),
        countList(keyPrefix, 'dead', 'failed'),
      ])
      return (await Promise.all(counted)).flat()
    },
    async listIds(queue) {
      return ((await run('listIds', [], [findLane(queue).keyPrefix])) as string[][]).flat()
    },
    async read(queue, ids) {
      const read = (await run('read', [], [findLane(queue).keyPrefix, ...ids])) as (readonly (string | null)[])[]
      return read.map(toJobRecord)
    },
    async readData(queue, ids) {
      const texts = (await run('readData', [], [findLane(queue).keyPrefix, ...ids])) as (string | null)[]
      return texts.map((text) => text && parseRecord(text))
    },
    async erase(queue, ids) {
      const { lane, keyPrefix } = findLane(queue)
      const states = (await run('erase', [topicsKey], [keyPrefix, lane, Date.now(), ...ids])) as string[]
      return states.map((state) => (state === '' ? undefined : (state as JobRecord['state'])))
    },
    async discardOld(queue, failedUntil, count) {
      return (await run('discardOld', [], [findLane(queue).keyPrefix, failedUntil, count, Date.now()])) as number
    },
    async discardFailed(deliveryIds) {
      const discarded = keyPrefixes.map((keyPrefix) =>
        run('discardFailed', [], [keyPrefix, Date.now(), ...deliveryIds]),
      )
      return (await Promise.all(discarded)).flat() as string[]
    },
  }
}

/** The id of the active job that is locked with a token; `undefined` if there is none. */
export async function findLocked(client: Redis, keyPrefix: string, token: string): Promise<string | undefined> {
  for (const id of await client.lrange(`${keyPrefix}active`, 0, -1)) {
    if ((await client.get(`${keyPrefix}${id}:lock`)) === token) return id
  }
  return undefined
}

/** Runs a script by its digest. Redis forgets scripts when it starts. */
function createRunner(client: Redis) {
  return async (name: keyof typeof SCRIPTS, keys: readonly string[], args: readonly (string | number)[]) => {
    const { text, digest } = SCRIPTS[name]
    try {
      return await client.evalsha(digest, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return client.eval(text, keys.length, ...keys, ...args)
    }
  }
}

/** As BullMQ reads a job, without what is not used of it. */
function toJobJson(fields: readonly (string | null)[]): JobJson {
  const [id, name, timestamp, data, failedReason, deduplicationId, attemptsMade, stalledCounter] = fields
  return {
    id: id ?? '',
    name: name ?? '',
    data: data ?? '{}',
    opts: {},
    progress: 0,
    attemptsStarted: 0,
    attemptsMade: Number.parseInt(attemptsMade ?? '0', 10),
    stalledCounter: Number.parseInt(stalledCounter ?? '0', 10),
    timestamp: Number.parseInt(timestamp ?? '', 10),
    failedReason: failedReason ?? '',
    returnvalue: 'null',
    ...(deduplicationId && { deduplicationId }),
  }
}

/** BullMQ keeps delayed jobs by their time in units of 1/4096 of a millisecond. */
const DUE_UNITS = 0x1000

function toJobRecord(fields: readonly (string | null)[]): JobRecord {
  const [id, state, dueAt, ...job] = fields
  const [name, timestamp, finishedOn, failedReason, deduplicationId, attemptsMade, stalledCounter] = job
  return {
    id: id ?? '',
    state: state as JobRecord['state'],
    dueAt: Math.floor(Number(dueAt ?? 0) / DUE_UNITS),
    name: name ?? '',
    timestamp: Number(timestamp ?? Number.NaN),
    finishedOn: Number(finishedOn ?? 0),
    failedReason: failedReason ?? '',
    deduplicationId: deduplicationId ?? undefined,
    attemptsMade: Number(attemptsMade ?? 0),
    stalledCounter: Number(stalledCounter ?? 0),
  }
}
