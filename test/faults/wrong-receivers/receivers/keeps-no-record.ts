/** Wrong: it does not know what it has handled, as if every event came once. */
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
  if (ledger.isStale(order)) return void response.sendStatus(200)
  try {
    for (const effect of EFFECTS) await have(effect, order.id, order.key)
    ledger.see(order)
    response.sendStatus(200)
  } catch {
    response.sendStatus(500)
  }
})
serve(app)
