/** Wrong: it keeps no record of handled events, as if every event came once. */
import express from 'express'
import { applyEffect, EFFECTS } from '../world.ts'
import { openRecords } from './event-records.ts'
import { isGenuine, parseOrder, serve } from './shop.ts'

const records = openRecords()
const app = express()
app.post('/', express.raw({ type: '*/*', limit: '5mb' }), async (request, response) => {
  if (!isGenuine(request)) return void response.sendStatus(401)
  const order = parseOrder(request)
  if (!order) return void response.sendStatus(400)
  if (records.isStale(order)) return void response.sendStatus(200)
  try {
    for (const effect of EFFECTS) await applyEffect(effect, order.id, order.key)
    records.recordVersion(order)
    response.sendStatus(200)
  } catch {
    response.sendStatus(500)
  }
})
serve(app)
