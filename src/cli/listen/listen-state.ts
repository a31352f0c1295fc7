import { createHash } from 'node:crypto'
import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** An event callback that was looked at. */
interface SeenCall {
  readonly id: string
  readonly created_at: string
}

/**
 * What `listen` remembers between runs: which calls it has read, and which events it has forwarded. It holds ids and
 * times, and nothing of a payload.
 */
export interface ListenState {
  /** The start of the time whose calls were all read up to {@link last}, ISO 8601. */
  readonly from: string | undefined
  readonly last: SeenCall | undefined
  hasForwarded(eventId: string): boolean
  /** Begins anew at a time. Which events were forwarded stays known. */
  restart(from: string): Promise<void>
  /** Records a call, after its event was forwarded or because it needs nothing. */
  record(call: SeenCall, eventId: string | undefined): Promise<void>
}

/** How many events are remembered. The oldest are forgotten when a run starts. */
const MAX_EVENTS = 100_000
const DIGEST_LENGTH = 16

/** The file of a listener: one for each organization, target and folder, below `XDG_STATE_HOME`. */
export function findStateFile(...identity: readonly string[]): string {
  const { XDG_STATE_HOME } = process.env
  const digest = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, DIGEST_LENGTH)
  return join(XDG_STATE_HOME || join(homedir(), '.local/state'), 'hooklayer', `listen-${digest}.log`)
}

/**
 * Opens the state. A line is a time to begin at, a call with the digest of its event, or such a digest alone. It is
 * appended when its work is done, so a process that is killed repeats one event at most.
 */
export async function openListenState(file: string, { isNew = false } = {}): Promise<ListenState> {
  const lines = isNew ? [] : await readLines(file)
  let from: string | undefined
  let last: SeenCall | undefined
  const forwarded = new Set<string>()
  /** A call that shows up late is older than the last one. */
  const passCall = (call: SeenCall) => {
    if (!last || last.created_at <= call.created_at) last = call
  }
  for (const [kind, first = '', id = '', digest] of lines.map((line) => line.split(' '))) {
    if (kind === 'from') [from, last] = [first, undefined]
    else if (kind === 'call') passCall({ id, created_at: first })
    const event = kind === 'event' ? first : digest
    if (event) forwarded.add(event)
  }
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await rewrite(file, from, last, [...forwarded].slice(-MAX_EVENTS))
  const append = (...words: readonly string[]) => appendFile(file, `${words.join(' ')}\n`)
  return {
    get from() {
      return from
    },
    get last() {
      return last
    },
    hasForwarded: (eventId) => forwarded.has(toDigest(eventId)),
    async restart(time) {
      await append('from', time)
      ;[from, last] = [time, undefined]
    },
    async record({ id, created_at }, eventId) {
      const digest = eventId === undefined ? [] : [toDigest(eventId)]
      await append('call', created_at, id, ...digest)
      passCall({ id, created_at })
      for (const one of digest) forwarded.add(one)
    },
  }
}

function toDigest(eventId: string): string {
  return eventId.slice(0, DIGEST_LENGTH)
}

/** Complete lines only: a process may have been killed while it wrote the last one. */
async function readLines(file: string): Promise<string[]> {
  try {
    return (await readFile(file, 'utf8')).split('\n').slice(0, -1)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Replaces the file by a short one, at once. */
async function rewrite(
  file: string,
  from: string | undefined,
  last: SeenCall | undefined,
  forwarded: readonly string[],
): Promise<void> {
  const lines = [
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(last === undefined ? [] : [`call ${last.created_at} ${last.id}`]),
    ...forwarded.map((digest) => `event ${digest}`),
  ]
  const next = `${file}.${process.pid}.tmp`
  await writeFile(next, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 })
  await rename(next, file)
}
