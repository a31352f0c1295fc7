import { createDelivery } from 'hooklayer/testing'
import { handler } from './index.js'

const [secret = process.env.CL_SECRET_ORDERS__PLACE] = process.argv.slice(2)
const { method, headers, body } = await createDelivery('orders.place', { secret })

// The event that a function URL, or an HTTP API of API Gateway, makes of the request.
const answer = await handler(
  {
    version: '2.0',
    rawPath: '/webhooks',
    rawQueryString: '',
    requestContext: { http: { method, path: '/webhooks', sourceIp: '192.0.2.1' } },
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
  },
  /** @type {any} */ ({}), // the context
  () => {},
)
console.log(answer.statusCode, answer.body)
