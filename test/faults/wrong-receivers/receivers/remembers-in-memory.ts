/** Wrong: what one process remembers, the next one does not know. */
import express from 'express'
import { EFFECTS, have } from '../world.ts'
import { isGenuine, orderIn, serve } from './shop.ts'

const states = new Map<string, 'taken' | 'done'>() // of this process
const versions = new Map<string, string>()
const app = express()
app.post('/', express.raw({ type: '*/*', limit: '5mb' }), async (request, response) => {
  if (!isGenuine(request)) return void response.sendStatus(401)
  const order = orderIn(request)
  if (!order) return void response.sendStatus(400)
  const { id, key, updatedAt } = order
  const state = states.get(key)
  if (state) return void response.sendStatus(state === 'done' ? 200 : 409)
  states.set(key, 'taken')
  try {
    const isStale = updatedAt < (versions.get(id) ?? '')
    for (const effect of isStale ? [] : EFFECTS) {
      if (!states.has(`${key}/${effect}`)) await have(effect, id, key)
      states.set(`${key}/${effect}`, 'done')
    }
    if (!isStale) versions.set(id, updatedAt)
    states.set(key, 'done')
    response.sendStatus(200)
  } catch {
    states.delete(key)
    response.sendStatus(500)
  }
})
serve(app)
