import { pathToFileURL } from 'node:url'
import { orderOfSize } from './payloads.ts'
import { readOrder } from './read-order.ts'
import { ours } from './subjects.ts'
const [dir, kb, kind] = process.argv.slice(2)
const body = orderOfSize(Number(kb) * 1000, 'ascii')
const { createReceiver } = await import(pathToFileURL(`node_modules/.cache/${dir}/index.js`).href)
const deliver = ours('x', createReceiver, kind === 'idle' ? () => {} : readOrder).makeFor(body)
for (let i = 0; i < 20000; i++) await deliver(body)
const N = 100000
const cpu0 = process.cpuUsage()
for (let i = 0; i < N; i++) await deliver(body)
const cpu = process.cpuUsage(cpu0)
console.log(dir, 'cpu us/delivery', ((cpu.user + cpu.system) / N).toFixed(2))
