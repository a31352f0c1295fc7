import serverlessExpress from '@codegenie/serverless-express'
import express from 'express'
import { createReceiver } from 'hooklayer'
import { createExpressMiddleware } from 'hooklayer/express'

const receiver = createReceiver({ secrets: { 'orders.place': process.env.CL_SECRET_ORDERS__PLACE } })

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})

const app = express()
app.use('/webhooks', createExpressMiddleware(receiver)) // above any body parser
app.use(express.json())
app.post('/echo', (request, response) => {
  response.json(request.body)
})

export const handler = serverlessExpress({ app })
