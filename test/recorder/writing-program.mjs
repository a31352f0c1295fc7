/** Records deliveries in a file, with the built package: `node writing-program.mjs DIST FILE js|cjs COUNT PAUSE_MS`. */
import { createHmac } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout } from 'node:timers/promises'

const [dist, file, format, count, pauseMs] = process.argv.slice(2)
const require = createRequire(import.meta.url)
const load = (name) => (format === 'cjs' ? require(`${dist}/${name}.cjs`) : import(`${dist}/${name}.js`))
const { createReceiver } = await load('index')
const { createRecorder } = await load('recorder')
const SECRET = 'a secret of this program only'
const recorder = createRecorder({ file })
const receiver = createReceiver({ secrets: { 'orders.place': SECRET }, recorder }).on('orders.place', () => {})
const countThreads = () => readdirSync('/proc/self/task').length
const before = countThreads()
for (let i = 0; i < Number(count); i++) {
  const attributes = { number: `written${i}`, note: 'x'.repeat(2000) }
  const body = Buffer.from(JSON.stringify({ data: { id: `id${i}`, type: 'orders', attributes } }))
  const signature = createHmac('sha256', SECRET).update(body).digest('base64')
  const headers = { 'x-commercelayer-topic': 'orders.place', 'x-commercelayer-signature': signature }
  await receiver.receive({ method: 'POST', headers, body })
  if (Number(pauseMs) > 0) await setTimeout(Number(pauseMs))
}
await setTimeout(70) // The thread is started by now.
console.log(`threads: ${countThreads() - before} more`)
