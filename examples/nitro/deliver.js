import { createDelivery } from 'hooklayer/testing'

const [secret = process.env.CL_SECRET_ORDERS__PLACE] = process.argv.slice(2)
const delivery = await createDelivery('orders.place', { secret })
const answer = await fetch(`http://localhost:${process.env.PORT ?? 3000}/webhooks`, delivery)
console.log(answer.status, await answer.text())
