import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { built } from './built.ts'

/** Sends its port to the parent, gets each topic with its secret from it, and ends when the parent disconnects. */
const [{ createReceiver }, { createNodeListener }] = await Promise.all([built('index'), built('node')])
const secrets = new Map<string, string>()
process.on('message', ([topic, secret]: [string, string]) => secrets.set(topic, secret))
process.once('disconnect', () => process.exit())
const receiver = createReceiver({ secrets: (topic) => secrets.get(topic) }).on('*', () => {})
const server = createServer(createNodeListener(receiver))
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
