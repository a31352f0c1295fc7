/** Wrong: it looks whether an event was handled, and notes it when it has been. In between there is room for another. */
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
  if (ledger.isDone(order.key)) return void response.sendStatus(200) // check …
  try {
    for (const effect of ledger.isStale(order) ? [] : EFFECTS) {
      await ledger.once(`${order.key}/${effect}`, () => have(effect, order.id, order.key))
    }
    ledger.see(order)
    ledger.setDone(order.key) // … then insert
    response.sendStatus(200)
  } catch {
    response.sendStatus(500)
  }
})
serve(app)
