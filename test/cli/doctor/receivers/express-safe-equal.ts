/** Wrong: `timingSafeEqual` throws for another length, and one secret stands for all topics. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import express, { type Express } from 'express'

export function createApp(secret: string): Express {
  const app = express()
  app.post('/webhooks', express.text({ type: '*/*', limit: '5mb' }), (req, res) => {
    const expected = createHmac('sha256', secret).update(req.body).digest('base64')
    const signature = req.get('x-commercelayer-signature') as string
    if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) {
      res.sendStatus(401)
      return
    }
    res.sendStatus(200)
  })
  // What Express does by itself, without its line on the console.
  app.use((_error: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
    res.sendStatus(500)
  })
  return app
}
