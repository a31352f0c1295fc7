import { createServer } from 'node:http'
import { createNodeListener } from 'hooklayer/node'
import { createResponder, refuse } from 'hooklayer/responder'

const PRICES = new Map([['TSHIRTMM000000FFFFFFXLXX', { usual: 4900, gold: 3900 }]])

const prices = createResponder(
  'prices',
  { secret: process.env.CL_SECRET_MARKET, answerCacheMs: 10_000 },
  ({ resource: line }) => {
    const price = PRICES.get(line.sku_code ?? '')
    console.log(`Price of ${line.sku_code}, for ${line.order.customer?.email}`)
    if (!price) return refuse('NO_PRICE', 'This article has no price.')
    const isGold = line.order.customer?.tags?.some(({ name }) => name === 'gold')
    return { unit_amount_cents: isGold ? price.gold : price.usual }
  },
)

const server = createServer(createNodeListener(prices))
server.listen(process.env.PORT ?? 3000, () => console.log('Listening'))

process.once('SIGTERM', () => server.close(() => prices.close()))
