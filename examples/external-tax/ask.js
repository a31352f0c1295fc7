import { createRequest } from 'hooklayer/testing'

const [secret = process.env.CL_SECRET_TAX] = process.argv.slice(2)
const request = await createRequest('tax', { secret, resource: { shipping_address: { country_code: 'DE' } } })
const answer = await fetch(`http://localhost:${process.env.PORT ?? 3000}/taxes`, request)
console.log(answer.status, await answer.text())
