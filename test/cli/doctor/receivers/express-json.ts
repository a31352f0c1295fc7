/** Wrong: it verifies what a parser made of the body, and the parser ends at 100 kB. */
import crypto from 'node:crypto'
import express, { type Express } from 'express'

export function createApp(secret: string): Express {
  const app = express()
  app.use(express.json())
  app.post('/webhooks', (req, res) => {
    const hash = crypto.createHmac('sha256', secret).update(JSON.stringify(req.body)).digest('base64')
    if (hash !== req.get('x-commercelayer-signature')) {
      res.status(401).json({ error: 'Invalid signature' })
      return
    }
    res.json({ received: true })
  })
  return app
}
