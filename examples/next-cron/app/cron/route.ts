import { setTimeout as sleep } from 'node:timers/promises'
import { createWorker } from 'hooklayer'
import { inbox, receiver } from '../receiver'

export const maxDuration = 60

/** Handles what is stored, for 50 seconds at most. Vercel calls it every minute and sends `CRON_SECRET`. */
export async function GET(request: Request): Promise<Response> {
  const { CRON_SECRET } = process.env
  if (!CRON_SECRET || request.headers.get('authorization') !== `Bearer ${CRON_SECRET}`) {
    return new Response(null, { status: 401 })
  }
  const end = Date.now() + 50_000
  const worker = createWorker({ receiver, inbox })
  try {
    let left = await inbox.statistics()
    while (left.queued + left.running > 0 && Date.now() < end) {
      await sleep(250)
      left = await inbox.statistics()
    }
    return Response.json(left)
  } finally {
    await worker.stop({ timeoutMs: 5000 })
  }
}
