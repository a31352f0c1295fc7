import { readFileSync } from 'node:fs'
import { worker } from './index.js'

const [file = 'event.json'] = process.argv.slice(2)
const result = await worker(JSON.parse(readFileSync(file, 'utf8')), { getRemainingTimeInMillis: () => 30_000 })
console.log(JSON.stringify(result))
process.exit() // Redis is still connected
