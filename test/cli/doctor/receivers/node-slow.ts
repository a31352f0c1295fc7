/** Wrong: it does the work before it answers, and adds chunks up as text. */
import { createHmac } from 'node:crypto'
import type { RequestListener } from 'node:http'

export function createListener(secrets: Readonly<Record<string, string>>, work: () => Promise<void>): RequestListener {
  return (req, res) => {
    if (req.method !== 'POST') {
      res.writeHead(405).end()
      return
    }
    let body = ''
    req.on('data', (chunk) => {
      body += chunk
    })
    req.on('end', async () => {
      const secret = new Map(Object.entries(secrets)).get(String(req.headers['x-commercelayer-topic']))
      const signature = secret && createHmac('sha256', secret).update(body).digest('base64')
      if (!signature || signature !== req.headers['x-commercelayer-signature']) {
        res.writeHead(401).end()
        return
      }
      await work()
      res.writeHead(200).end()
    })
  }
}
