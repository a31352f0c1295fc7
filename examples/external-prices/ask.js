import { createRequest } from 'hooklayer/testing'

const [secret = process.env.CL_SECRET_MARKET] = process.argv.slice(2)
const resource = { order: { customer: { tags: [{ name: 'gold' }] } } }
const request = await createRequest('prices', { secret, resource })
const answer = await fetch(`http://localhost:${process.env.PORT ?? 3000}`, request)
console.log(answer.status, await answer.text())
