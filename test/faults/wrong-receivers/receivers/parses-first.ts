/** Wrong: a body is parsed before it is known who wrote it. */
import express, { type NextFunction, type Request, type Response } from 'express'
import { EFFECTS, have } from '../world.ts'
import { openLedger } from './ledger.ts'
import { isGenuine, orderIn, serve } from './shop.ts'

const ledger = openLedger()
const bytesOf = new WeakMap<object, Buffer>()
const app = express()
app.use(express.json({ limit: '5mb', verify: (request, _, bytes) => bytesOf.set(request, bytes) })) // for all routes
app.post('/', async (request, response) => {
  const bytes = bytesOf.get(request)
  if (!isGenuine(request, bytes)) return void response.sendStatus(401)
  const order = orderIn(request, bytes)
  if (!order) return void response.sendStatus(400)
  const claim = ledger.claim(order.key)
  if (claim !== 'mine') return void response.sendStatus(claim === 'done' ? 200 : 409)
  try {
    for (const effect of ledger.isStale(order) ? [] : EFFECTS) {
      await ledger.once(`${order.key}/${effect}`, () => have(effect, order.id, order.key))
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
app.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => void response.sendStatus(400))
serve(app)
