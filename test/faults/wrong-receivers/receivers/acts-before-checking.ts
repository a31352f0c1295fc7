/** Wrong: it sends the mail before it checks whether the event is a duplicate. */
import express from 'express'
import { applyEffect } from '../world.ts'
import { openRecords } from './event-records.ts'
import { isGenuine, parseOrder, serve } from './shop.ts'

const records = openRecords()
const app = express()
app.post('/', express.raw({ type: '*/*', limit: '5mb' }), async (request, response) => {
  if (!isGenuine(request)) return void response.sendStatus(401)
  const order = parseOrder(request)
  if (!order) return void response.sendStatus(400)
  if (records.isStale(order)) return void response.sendStatus(200)
  await applyEffect('mail', order.id, order.key) // before the event is reserved
  const state = records.reserve(order.key)
  if (state !== 'reserved') return void response.sendStatus(state === 'completed' ? 200 : 409)
  try {
    await records.once(`${order.key}/erp`, () => applyEffect('erp', order.id, order.key))
    records.recordVersion(order)
    records.setDone(order.key)
    response.sendStatus(200)
  } catch {
    response.sendStatus(500)
  } finally {
    records.release(order.key)
  }
})
serve(app)
