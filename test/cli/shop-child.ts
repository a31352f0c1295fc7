/**
 * An Express shop as a process of its own. It reads its secrets from a file of variables, and remembers in SQLite what
 * it has handled. It reports its port and the number of each order that it handles.
 */
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { createReceiver, secretsFromEnv } from 'hooklayer'
import { createExpressMiddleware } from 'hooklayer/express'
import { createSqliteStore } from 'hooklayer/stores/sqlite'

const [secretsFile = '', storeFile = ''] = process.argv.slice(2)

async function readSecrets(topic: string): Promise<readonly string[] | undefined> {
  const lines = (await readFile(secretsFile, 'utf8')).split('\n').map((line) => line.split('='))
  return secretsFromEnv({ env: Object.fromEntries(lines) })[topic]
}

const receiver = createReceiver({
  secrets: readSecrets,
  idempotency: { store: await createSqliteStore({ file: storeFile }) },
})
receiver.on('orders.place', ({ resource }) => {
  process.send?.({ handled: resource.number })
})

const server = express()
  .use('/webhooks', createExpressMiddleware(receiver))
  .listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
