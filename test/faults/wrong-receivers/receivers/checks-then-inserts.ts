/**
 * Wrong: it checks whether an event was handled, and records it afterwards. A second delivery may pass the check in
 * between.
 */
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
  if (records.isDone(order.key)) return void response.sendStatus(200) // check …
  try {
    for (const effect of records.isStale(order) ? [] : EFFECTS) {
      await records.once(`${order.key}/${effect}`, () => applyEffect(effect, order.id, order.key))
    }
    records.recordVersion(order)
    records.setDone(order.key) // … then insert
    response.sendStatus(200)
  } catch {
    response.sendStatus(500)
  }
})
serve(app)
