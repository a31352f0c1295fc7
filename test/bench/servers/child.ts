import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Contestants, Kind } from './contestant.ts'

/** Loaded lazily, so that a server has only its own framework in memory. */
const FRAMEWORKS = {
  node: () => import('./node.ts'),
  express: () => import('./express.ts'),
  koa: () => import('./koa.ts'),
  fastify: () => import('./fastify.ts'),
  fetch: () => import('./fetch.ts'),
} satisfies Record<string, () => Promise<{ contestants: Contestants }>>

export type Framework = keyof typeof FRAMEWORKS

/** Questions by message: what it has used, and to end. Framework and kind are its arguments. */
export type Question = 'usage' | 'end'
export interface Usage {
  readonly cpuMicroseconds: number
  readonly peakKilobytes: number
}
/** Its messages: first its port, then what it has used so far. */
export type Answer = { readonly port: number } | Usage

const [framework, kind] = process.argv.slice(2) as [Framework, Kind]
const { contestants } = await FRAMEWORKS[framework]()
const make = contestants[kind]
if (!make) throw new TypeError(`${framework} has no ${kind}.`)
const server = createServer(await make())
server.listen(0, '127.0.0.1', () => send({ port: (server.address() as AddressInfo).port }))

process.on('message', (question: Question) => {
  if (question === 'end') process.exit()
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  send({ cpuMicroseconds: userCPUTime + systemCPUTime, peakKilobytes: maxRSS })
})

function send(answer: Answer): void {
  process.send?.(answer)
}
