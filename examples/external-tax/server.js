import express from 'express'
import { createExpressMiddleware } from 'hooklayer/express'
import { createResponder } from 'hooklayer/responder'

const RATES = new Map([
  ['IT', 0.22],
  ['DE', 0.19],
  ['FR', 0.2],
])

const taxes = createResponder(
  'tax',
  { secret: process.env.CL_SECRET_TAX, fallback: { tax_rate: 0.22 } },
  ({ resource: order }) => {
    const country = order.shipping_address?.country_code ?? order.billing_address?.country_code
    console.log(`Taxes of order ${order.number}, to ${country}`)
    return { tax_rate: RATES.get(country ?? '') ?? 0 }
  },
)

const app = express()
app.post('/taxes', createExpressMiddleware(taxes)) // above any body parser

const server = app.listen(process.env.PORT ?? 3000, () => console.log('Listening'))

process.once('SIGTERM', () => server.close(() => taxes.close()))
