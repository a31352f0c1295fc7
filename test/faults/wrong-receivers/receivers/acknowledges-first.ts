/** Wrong: it acknowledges before the work is done or kept, and nobody sends again what was acknowledged. */
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
  response.sendStatus(200) // "Answer fast, work later."
  try {
    for (const effect of ledger.isStale(order) ? [] : EFFECTS) {
      await ledger.once(`${order.key}/${effect}`, () => have(effect, order.id, order.key))
    }
    ledger.see(order)
    ledger.setDone(order.key)
  } catch {
    console.error('An order failed.')
  } finally {
    ledger.release(order.key)
  }
})
serve(app)
