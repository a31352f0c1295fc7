import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Contestants, Kind } from './contestant.ts'

/** Lazily, so that a server has no more in its memory than its own framework. */
const FRAMEWORKS = {
  node: () => import('./node.ts'),
  express: () => import('./express.ts'),
  koa: () => import('./koa.ts'),
  fastify: () => import('./fastify.ts'),
  fetch: () => import('./fetch.ts'),
} satisfies Record<string, () => Promise<{ contestants: Contestants }>>

export type Framework = keyof typeof FRAMEWORKS

/** What it takes to tell it what to be: in its arguments. What it is asked by message: what it has used, then to end. */
export type Question = 'usage' | 'end'
export interface Usage {
  readonly cpuMicroseconds: number
  readonly peakKilobytes: number
}
/** What it says: where it listens, then what it has used so far. */
export type Answer = { readonly port: number } | Usage

const [framework, kind] = process.argv.slice(2) as [Framework, Kind]
const { contestants } = await FRAMEWORKS[framework]()
const make = contestants[kind]
if (!make) throw new TypeError(`${framework} has no ${kind}.`)
const server = createServer(await make())
server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as AddressInfo).port }))

process.on('message', (question: Question) => {
  if (question === 'end') process.exit()
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  tell({ cpuMicroseconds: userCPUTime + systemCPUTime, peakKilobytes: maxRSS })
})

function tell(answer: Answer): void {
  process.send?.(answer)
}
