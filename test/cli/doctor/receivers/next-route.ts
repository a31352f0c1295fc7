/** Wrong: `app/webhooks/route.ts` of a Next app that acknowledges first, and verifies later. */
import { createHmac } from 'node:crypto'

export function createRoute(secret: string, save: (order: unknown) => Promise<void>) {
  return async function POST(request: Request): Promise<Response> {
    const body = await request.text()
    const signature = request.headers.get('x-commercelayer-signature')
    setTimeout(async () => {
      const expected = createHmac('sha256', secret).update(body).digest('base64')
      if (signature === expected) await save(JSON.parse(body))
    })
    return new Response(null, { status: 202 })
  }
}
