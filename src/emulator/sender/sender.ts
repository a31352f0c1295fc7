import { ANSWER_TIMEOUT_MS, MAX_RETRIES } from '../../commerce-layer/limits.ts'
import type { EventRecord, Records, Sender, WebhookRecord } from '../records.ts'
import { type Call, createCaller } from './call.ts'
import { isCallable } from './circuit.ts'
import { createDelivery, type Delivery } from './delivery.ts'
import { createFaultPlan, type Faults } from './fault-plan.ts'
import { createFaultInjector } from './inject-faults.ts'
import { createPauses } from './pauses.ts'
import { createPayloads, type Payload, type PayloadOptions } from './payload.ts'
import { createUnderWay } from './pending-work.ts'

export interface SenderOptions extends PayloadOptions {
  /** Webhooks are read from it at each call and their circuits written to it; each call adds an event callback. */
  readonly records: Records
  /** Milliseconds that an endpoint has to answer; default 5,000. */
  readonly timeoutMs?: number | undefined
  /** How often a failed delivery is fired again at most; default 10. */
  readonly retries?: number | undefined
  /** Milliseconds before a retry, the first being 1. Default: 1 s, and twice as long each time (an assumption). */
  readonly retryDelayMs?: ((attempt: number) => number) | undefined
  /** Default: none. */
  readonly faults?: Faults | undefined
  /** What the faults is drawn by, a whole number; default 1. */
  readonly seed?: number | undefined
}

/**
 * Makes what takes events to webhooks, as Commerce Layer does. Facts: headers, signature, the five seconds, ten retries, and the
 * circuit that thirty failures in a row open. Assumptions, where its documentation is silent: the delays between the retries;
 * a retry goes to the webhook as it is by then, and is dropped if that is deleted, disabled or open; `response_message` is
 * the reason phrase of the answer; where no answer came, `response_code` stays `null` and `response_message` says why.
 *
 * @throws TypeError if the faults has an option that is unknown or out of range.
 */
export function createSender(options: SenderOptions): Sender {
  const {
    records,
    mode,
    organizationId,
    timeoutMs = ANSWER_TIMEOUT_MS,
    retries = MAX_RETRIES,
    retryDelayMs = doublingDelay,
  } = options
  const planFaults = createFaultPlan(options.faults, options.seed)
  const pauses = createPauses()
  const underWay = createUnderWay()
  const { call, close } = createCaller({ records, timeoutMs, onOpenCircuit: pauses.cancel })

  async function retry(delivery: Delivery): Promise<void> {
    for (let attempt = 1; attempt <= retries; attempt++) {
      if (!isCallable(records, delivery.webhook)) return
      if (!(await pauses.wait(delivery.webhook, retryDelayMs(attempt)))) return
      const ended = await call(delivery)
      if (!ended || ended.isSuccess) return
    }
  }

  /** The first call, with the retries to follow. */
  async function fire(delivery: Delivery): Promise<Call | undefined> {
    const first = await call(delivery)
    if (first && !first.isSuccess) void underWay.add(retry(delivery))
    return first
  }

  const sendWithFaults = createFaultInjector({ call, fire, retryDelayMs, pauses, underWay })

  async function deliver(event: EventRecord, webhook: WebhookRecord, payload: Payload): Promise<Call | undefined> {
    const faults = planFaults(webhook)
    return sendWithFaults(await createDelivery(event, webhook, payload), faults)
  }

  return {
    async send(event) {
      const payloadFor = createPayloads(event, { mode, organizationId })
      const subscribed = [...records.webhooks.values()].filter(
        (webhook) => webhook.topic === event.name && isCallable(records, webhook),
      )
      const calls = await Promise.all(
        subscribed.map((webhook) => underWay.add(deliver(event, webhook, payloadFor(webhook.include_resources)))),
      )
      return calls.flatMap((first) => first?.record ?? [])
    },
    settled: underWay.none,
    async close() {
      pauses.close()
      close()
      await underWay.none()
    },
  }
}

/** Milliseconds before the retry of this number. How long Commerce Layer waits is not documented. */
export function doublingDelay(attempt: number): number {
  return 1000 * 2 ** (attempt - 1)
}
