/** Wrong: each attempt has a key of its own, so that after a crash the other side takes the retry for something new. */
import { randomUUID } from 'node:crypto'
import express from 'express'
import { EFFECTS, have } from '../world.ts'
import { openLedger } from './ledger.ts'
import { isGenuine, orderIn, serve } from './shop.ts'

const ledger = openLedger()
const app = express()
app.post('/', express.raw({ type: '*/*', limit: '5mb' }), async (request, response) => {
  if (!isGenuine(request)) return void response.sendStatus(401)
  const order = orderIn(request)
  if (!order) return void response.sendStatus(400)
  const claim = ledger.claim(order.key)
  if (claim !== 'mine') return void response.sendStatus(claim === 'done' ? 200 : 409)
  try {
    for (const effect of ledger.isStale(order) ? [] : EFFECTS) {
      const idempotencyKey = randomUUID() // not the event's
      await ledger.once(`${order.key}/${effect}`, () => have(effect, order.id, idempotencyKey))
    }
    ledger.see(order)
    ledger.setDone(order.key)
    response.sendStatus(200)
  } catch {
    response.sendStatus(500)
  } finally {
    ledger.release(order.key)
  }
})
serve(app)
