/** Wrong: the mail goes out before it is known whether the event is a duplicate. */
import express from 'express'
import { have } from '../world.ts'
import { openLedger } from './ledger.ts'
import { isGenuine, orderIn, serve } from './shop.ts'

const ledger = openLedger()
const app = express()
app.post('/', express.raw({ type: '*/*', limit: '5mb' }), async (request, response) => {
  if (!isGenuine(request)) return void response.sendStatus(401)
  const order = orderIn(request)
  if (!order) return void response.sendStatus(400)
  if (ledger.isStale(order)) return void response.sendStatus(200)
  await have('mail', order.id, order.key) // before the claim
  const claim = ledger.claim(order.key)
  if (claim !== 'mine') return void response.sendStatus(claim === 'done' ? 200 : 409)
  try {
    await ledger.once(`${order.key}/erp`, () => have('erp', order.id, order.key))
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
