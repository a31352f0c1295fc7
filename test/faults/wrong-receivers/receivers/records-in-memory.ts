/** Wrong: it records handled events in memory, so other processes do not know them. */
import express from 'express'
import { applyEffect, EFFECTS } from '../world.ts'
import { isGenuine, parseOrder, serve } from './shop.ts'

const states = new Map<string, 'taken' | 'done'>() // of this process
const versions = new Map<string, string>()
const app = express()
app.post('/', express.raw({ type: '*/*', limit: '5mb' }), async (request, response) => {
  if (!isGenuine(request)) return void response.sendStatus(401)
  const order = parseOrder(request)
  if (!order) return void response.sendStatus(400)
  const { id, key, updatedAt } = order
  const state = states.get(key)
  if (state) return void response.sendStatus(state === 'done' ? 200 : 409)
  states.set(key, 'taken')
  try {
    const isStale = updatedAt < (versions.get(id) ?? '')
    for (const effect of isStale ? [] : EFFECTS) {
      if (!states.has(`${key}/${effect}`)) await applyEffect(effect, id, key)
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
