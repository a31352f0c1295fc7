import { createDelivery } from 'hooklayer/testing'
import { webhook } from './index.js'

const [secret = process.env.CL_SECRET_ORDERS__PLACE, id = 'OeRyhjDlje', number = '1234'] = process.argv.slice(2)
const { method, headers, body } = await createDelivery('orders.place', { secret, resource: { id, number } })

// The event that a function URL, or an HTTP API of API Gateway, makes of the request.
const answer = await webhook({
  requestContext: { http: { method } },
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  body: Buffer.from(body).toString('base64'),
  isBase64Encoded: true,
})
console.log(answer.statusCode, answer.body)
