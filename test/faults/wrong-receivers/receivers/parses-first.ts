/** Wrong: it parses a body before it has verified the signature. */
import express, { type NextFunction, type Request, type Response } from 'express'
import { applyEffect, EFFECTS } from '../world.ts'
import { openRecords } from './event-records.ts'
import { isGenuine, parseOrder, serve } from './shop.ts'

const records = openRecords()
const bytesByRequest = new WeakMap<object, Buffer>()
const app = express()
app.use(express.json({ limit: '5mb', verify: (request, _, bytes) => bytesByRequest.set(request, bytes) })) // for all routes
app.post('/', async (request, response) => {
  const bytes = bytesByRequest.get(request)
  if (!isGenuine(request, bytes)) return void response.sendStatus(401)
  const order = parseOrder(request, bytes)
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
app.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => void response.sendStatus(400))
serve(app)
