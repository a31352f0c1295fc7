import { ANSWER_TIMEOUT_MS, MAX_RETRIES } from '../../commerce-layer/limits.ts'
import type { EventRecord, Records, Sender, WebhookRecord } from '../records.ts'
import { type Call, createCaller, type EndedCall } from './call.ts'
import { isCallable } from './circuit.ts'
import { createDelivery, type Delivery } from './delivery.ts'
import { createFaultPlanner, type DeliveryFaults, type FaultPlanner, type Faults } from './fault-plan.ts'
import { createFaultInjector } from './inject-faults.ts'
import { createPauses } from './pauses.ts'
import { createPayloadWriter, type Payload, type PayloadOptions } from './payload.ts'
import { createPendingWork } from './pending-work.ts'

export interface SenderOptions extends PayloadOptions {
  /** The webhooks to call. Each call adds an event callback, and updates the circuit of its webhook. */
  readonly records: Records
  /** Milliseconds that an endpoint has to answer. Default: 5,000, as documented by Commerce Layer. */
  readonly timeoutMs?: number | undefined
  /** The maximum number of retries of a failed delivery. Default: 10, as documented by Commerce Layer. */
  readonly retries?: number | undefined
  /**
   * The delay before a retry in milliseconds. `attempt` is 1 for the first retry. Default: one second, doubled for each
   * further retry. Commerce Layer does not document its delays.
   */
  readonly retryDelayMs?: ((attempt: number) => number) | undefined
  /** Faults to inject. Default: none. */
  readonly faults?: Faults | undefined
  /** The seed of the faults, a whole number. The same seed gives the same faults. Default: 1. */
  readonly seed?: number | undefined
  /** Is called when a call has ended, retries and decoys included. It must not throw. */
  readonly onCall?: ((call: EndedCall) => void) | undefined
}

/** A sender whose faults can be changed. */
export interface FaultySender extends Sender {
  /** With faults of its own: the same object is one series of faults, so that deliveries can overtake each other. */
  send(event: EventRecord, faults?: Faults): ReturnType<Sender['send']>
  /** Replaces the faults of the deliveries that come. `seed` begins anew. */
  setFaults(faults: Faults): void
}

/**
 * Creates the sender, which delivers events to webhooks as Commerce Layer does.
 *
 * Documented by Commerce Layer: the headers, the signature, five seconds to answer, ten retries, and a circuit that
 * opens after thirty consecutive failures. Assumed:
 *
 * - The delays between retries.
 * - A retry uses the current state of its webhook. It is dropped if the webhook is deleted, disabled or open.
 * - `response_message` is the reason phrase of the answer.
 * - Without an answer `response_code` stays `null`, and `response_message` names the failure.
 *
 * @throws TypeError if `faults` has an option that is unknown or out of range.
 */
export function createSender(options: SenderOptions): FaultySender {
  const {
    records,
    mode,
    organizationId,
    timeoutMs = ANSWER_TIMEOUT_MS,
    retries = MAX_RETRIES,
    retryDelayMs = computeRetryDelay,
    onCall = () => {},
  } = options
  let planFaults = createFaultPlanner(options.faults, options.seed)
  const pauses = createPauses()
  const pendingWork = createPendingWork()
  const { call, close } = createCaller({ records, timeoutMs, onOpenCircuit: pauses.cancel, onCall })

  async function retry(delivery: Delivery): Promise<void> {
    for (let attempt = 1; attempt <= retries; attempt++) {
      if (!isCallable(records, delivery.webhook)) return
      if (!(await pauses.wait(delivery.webhook, retryDelayMs(attempt)))) return
      const retried = await call(delivery)
      if (!retried || retried.isSuccess) return
    }
  }

  /** Makes the first call and starts the retries. */
  async function deliver(delivery: Delivery): Promise<Call | undefined> {
    const first = await call(delivery)
    if (first && !first.isSuccess) void pendingWork.add(retry(delivery))
    return first
  }

  const sendWithFaults = createFaultInjector({ call, deliver, retryDelayMs, pauses, pendingWork })

  async function sendTo(
    webhook: WebhookRecord,
    event: EventRecord,
    payload: Payload,
    faults: DeliveryFaults,
  ): Promise<Call | undefined> {
    return sendWithFaults(await createDelivery(event, webhook, payload), faults)
  }

  const ownPlanners = new WeakMap<Faults, FaultPlanner>()

  /** @throws TypeError if a fault is unknown or out of range. */
  function findPlanner(faults: Faults | undefined): FaultPlanner {
    if (!faults) return planFaults
    const planner = ownPlanners.get(faults) ?? createFaultPlanner(faults, options.seed)
    ownPlanners.set(faults, planner)
    return planner
  }

  return {
    async send(event, faults) {
      const plan = findPlanner(faults)
      const writePayload = createPayloadWriter(event, { mode, organizationId })
      const subscribed = [...records.webhooks.values()].filter(
        (webhook) => webhook.topic === event.name && isCallable(records, webhook),
      )
      const calls = await Promise.all(
        subscribed.map((webhook) =>
          pendingWork.add(sendTo(webhook, event, writePayload(webhook.include_resources), plan(webhook))),
        ),
      )
      return calls.flatMap((first) => first?.record ?? [])
    },
    setFaults(faults) {
      planFaults = createFaultPlanner(faults, options.seed)
    },
    settled: pendingWork.settled,
    async close() {
      pauses.close()
      close()
      await pendingWork.settled()
    },
  }
}

/**
 * The delay before a retry in milliseconds, 1 s before the first. An assumption: Commerce Layer documents no delays.
 */
function computeRetryDelay(attempt: number): number {
  return 1000 * 2 ** (attempt - 1)
}
