import { json } from 'node:stream/consumers'
import { listen } from '../contracts/adapter/listen.ts'

/** The API that the handlers of the examples call: it takes orders, unless a test sets another answer. */
export interface Erp {
  readonly url: string
  /** The numbers of the orders that it has taken, as they came. */
  readonly orders: readonly string[]
  /** Sets the status that answers an order from now on; 200 takes it. */
  answer(number: string, status: number): void
  close(): Promise<void>
}

export async function startErp(): Promise<Erp> {
  const orders: string[] = []
  const statuses = new Map<string, number>()
  const { url, close } = await listen(async (request, response) => {
    const { number } = (await json(request)) as { number: string }
    const status = request.headers['idempotency-key'] ? (statuses.get(number) ?? 200) : 400
    if (status === 200) orders.push(number)
    response.writeHead(status).end()
  })
  return { url, orders, answer: (number, status) => void statuses.set(number, status), close }
}
