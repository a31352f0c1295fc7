import { createNodeListener } from 'hooklayer/node'
import { describe, expect, it } from 'vitest'
import { createMounts } from '../adapters/mounts.ts'
import { ORDER, UNSIGNED } from '../contracts/adapter/deliveries.ts'
import { wait } from '../contracts/adapter/harness.ts'
import { listen } from '../contracts/adapter/listen.ts'
import { chunkOf, connect, headOf, requestOf, trickle } from '../contracts/adapter/raw-client.ts'

/** Not part of the suite for every adapter, because it takes four seconds and tests only the bridge. */
describe.concurrent('the Node bridge, after it has refused a request,', () => {
  const mount = createMounts()
  const serve = () => mount((receiver) => listen(createNodeListener(receiver)))
  const announced = { ...UNSIGNED.headers, 'content-length': String(ORDER.body.length) }

  it('closes the connection after a while if the rest of the body does not arrive', async () => {
    const target = await serve()
    const client = await connect(target)
    await client.send(headOf(target, announced))
    expect((await client.answer()).status).toBe(401)
    await wait(500)
    expect(client.isClosed).toBe(false)
    await client.closed
  })

  it('closes the connection after a while if the body never ends', async () => {
    const target = await serve()
    const client = await connect(target)
    await client.send(headOf(target, { ...UNSIGNED.headers, 'transfer-encoding': 'chunked' }))
    expect((await client.answer()).status).toBe(401)
    await trickle(client, chunkOf('x'.repeat(1000)))
    await client.closed
  })

  it('keeps the connection open if the rest of the body arrives', async () => {
    const target = await serve()
    const client = await connect(target)
    await client.send(headOf(target, announced))
    expect((await client.answer()).status).toBe(401)
    await client.send(ORDER.body)
    for (let round = 0; round < 4; round += 1) {
      await wait(1050)
      await client.send(requestOf(target, ORDER))
      expect((await client.answer()).status).toBe(200)
    }
    client.reset()
  })
})
