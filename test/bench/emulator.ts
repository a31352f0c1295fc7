import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createEmulator, type Emulator } from 'hooklayer/emulator'
import { sampleOf, serialize } from 'hooklayer/testing'
import type { Findings } from './report.ts'
import { quantile } from './rounds.ts'

const SECONDS = 3
const WARM_UP_SECONDS = 1
const CONNECTIONS = 32

const SUBJECTS = [
  { kilobytes: 2, topic: 'addresses.tagged', include: [] },
  { kilobytes: 20, topic: 'orders.place', include: ['customer', 'shipping_address', 'billing_address'] },
] as const

type Subject = (typeof SUBJECTS)[number]

/**
 * Measures from `trigger` to the answer of a receiver in another process: events, documents, signatures and records
 * included.
 */
export async function benchEmulator(progress: (message: string) => void): Promise<Findings> {
  const child = fork(fileURLToPath(new URL('./emulator-receiver.ts', import.meta.url)))
  const [port] = await once(child, 'message')
  const emulator = await createEmulator()
  const figures: Figure[] = []
  for (const subject of SUBJECTS) {
    progress(`the emulator, ${subject.kilobytes} KB`)
    await subscribe(emulator, subject, `http://127.0.0.1:${port}/`)
    child.send([subject.topic, emulator.webhooks.find(({ topic }) => topic === subject.topic)?.shared_secret])
    figures.push(await measure(emulator, subject))
  }
  await emulator.close()
  child.disconnect()
  const title = `The emulator, ${CONNECTIONS} deliveries at once, ${SECONDS} s each`
  const head = ['', 'deliveries/s', 'p50', 'p99', 'CPU a delivery']
  const bars = figures.map(({ what, perSecond }) => ({
    what: `${what}, deliveries/s`,
    figure: perSecond,
    atLeast: 1000,
  }))
  return { tables: [{ title, head, rows: figures.map(({ row }) => row) }], bars }
}

interface Figure {
  readonly what: string
  readonly perSecond: number
  readonly row: readonly string[]
}

async function subscribe({ url, ...emulator }: Emulator, { topic, include }: Subject, callback_url: string) {
  const post = async (path: string, type: string, body: object, headers: object = {}) => {
    const init = { method: 'POST', headers: { 'content-type': type, ...headers }, body: JSON.stringify(body) }
    const response = await fetch(`${url}${path}`, init)
    if (!response.ok) throw new Error(`${path} was answered ${response.status}.`)
    return response.json() as Promise<{ access_token?: string }>
  }
  const grant = { grant_type: 'client_credentials', client_id: emulator.clientId, client_secret: emulator.clientSecret }
  const { access_token } = await post('/oauth/token', 'application/json', grant)
  const attributes = { topic, callback_url, include_resources: include }
  await post(
    '/api/webhooks',
    'application/vnd.api+json',
    { data: { type: 'webhooks', attributes } },
    { accept: 'application/vnd.api+json', authorization: `Bearer ${access_token}` },
  )
}

async function measure(emulator: Emulator, subject: Subject): Promise<Figure> {
  await load(emulator, subject, WARM_UP_SECONDS)
  const before = process.cpuUsage()
  const times = await load(emulator, subject, SECONDS)
  const { user, system } = process.cpuUsage(before)
  const perSecond = times.length / SECONDS
  const row = [
    `${subject.topic}, ${subject.kilobytes} KB`,
    perSecond.toFixed(0),
    `${quantile(times, 0.5).toFixed(1)} ms`,
    `${quantile(times, 0.99).toFixed(1)} ms`,
    `${((user + system) / times.length).toFixed(0)} µs`,
  ]
  return { what: `The emulator, ${subject.kilobytes} KB`, perSecond, row }
}

async function load(emulator: Emulator, { topic, include, kilobytes }: Subject, seconds: number): Promise<number[]> {
  const resource = resourceOf(topic, include, kilobytes * 1000)
  const end = performance.now() + seconds * 1000
  const times: number[] = []
  const deliver = async () => {
    while (performance.now() < end) {
      const begin = performance.now()
      const [callback] = await emulator.trigger(topic, resource)
      if (callback?.response_code !== '200') throw new Error(`A delivery was answered ${callback?.response_code}.`)
      times.push(performance.now() - begin)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, deliver))
  return times
}

/** A sample with what is included and no more, filled up with `metadata` to the size. */
function resourceOf(topic: string, include: readonly string[], size: number): object {
  const sample: Record<string, unknown> = { ...sampleOf(topic.slice(0, topic.indexOf('.'))) }
  const names = Object.keys(sample).filter((name) => include.includes(name) || !isRelationship(sample[name]))
  const resource = Object.fromEntries(names.map((name) => [name, sample[name]]))
  const metadata: Record<string, string> = {}
  const withMetadata = { id: '', type: '', ...resource, metadata }
  const bytes = () => Buffer.byteLength(serialize(withMetadata, { include }))
  for (let entry = 0; bytes() < size; entry++) metadata[`entry_${entry}`] = 'twenty characters of'
  return withMetadata
}

function isRelationship(value: unknown): boolean {
  return [value].flat().some((one) => typeof one === 'object' && one !== null && 'type' in one && 'id' in one)
}
