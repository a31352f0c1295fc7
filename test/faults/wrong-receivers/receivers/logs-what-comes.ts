/** Wrong: it logs headers and body, and so a signature, an e-mail address and the customer's order. */
import express from 'express'
import { applyEffect, EFFECTS } from '../world.ts'
import { openRecords } from './event-records.ts'
import { isGenuine, parseOrder, serve } from './shop.ts'

const records = openRecords()
const app = express()
app.post('/', express.raw({ type: '*/*', limit: '5mb' }), async (request, response) => {
  console.log('webhook received', request.headers, String(request.body)) // "for debugging"
  if (!isGenuine(request)) return void response.sendStatus(401)
  const order = parseOrder(request)
  if (!order) return void response.sendStatus(400)
  const state = records.reserve(order.key)
  if (state !== 'reserved') return void response.sendStatus(state === 'completed' ? 200 : 409)
  try {
    for (const effect of records.isStale(order) ? [] : EFFECTS) {
      await records.once(`${order.key}/${effect}`, () => applyEffect(effect, order.id, order.key))
    }
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
