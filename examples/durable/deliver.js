import { createDelivery } from 'hooklayer/testing'

const [secret = process.env.CL_SECRET_ORDERS_PLACE] = process.argv.slice(2)
const number = String(Date.now()) // the same bytes would be the same delivery
const delivery = await createDelivery('orders.place', { secret, resource: { number } })
const answer = await fetch(`http://localhost:${process.env.PORT ?? 3000}/webhooks`, delivery)
console.log(answer.status, await answer.text())
