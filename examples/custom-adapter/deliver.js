import { once } from 'node:events'
import { connect } from 'node:http2'
import { text } from 'node:stream/consumers'
import { createDelivery } from 'hooklayer/testing'

const [secret = process.env.CL_SECRET_ORDERS__PLACE] = process.argv.slice(2)
const { method, headers, body } = await createDelivery('orders.place', { secret })
const session = connect(`http://localhost:${process.env.PORT ?? 3000}`)
const stream = session.request({ ...headers, ':method': method, ':path': '/webhooks' })
stream.end(body)
const [answer] = await once(stream, 'response')
console.log(answer[':status'], await text(stream))
session.close()
