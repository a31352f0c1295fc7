import type { ResourceDocument } from '../wire/document.ts'
import { isTopic } from './api/webhooks.ts'
import { copyEventCallback, type EmulatedEventCallback } from './emulated-records.ts'
import { createEventFactory, explainSilence } from './new-event.ts'
import { readPayload } from './read-payload.ts'
import type { EventRecord, Records } from './records.ts'
import { createFaultPlanner, type Faults } from './sender/fault-plan.ts'
import type { FaultySender } from './sender/sender.ts'

/** The options of `trigger` and `send` of an emulator. */
export interface TriggerOptions {
  /**
   * Faults of these deliveries, in the place of the emulator's own. Several calls with the same object share one series
   * of faults: a delivery that is held back by `reorder` is overtaken by the next one of them.
   */
  readonly faults?: Faults | undefined
}

/** Creates events, and has the sender call the webhooks of their topics. */
export interface EventTrigger {
  trigger(topic: string, resource: object, options?: TriggerOptions): Promise<EmulatedEventCallback[]>
  send(
    topic: string,
    document: ResourceDocument | Uint8Array,
    options?: TriggerOptions,
  ): Promise<EmulatedEventCallback[]>
  /** Calls the webhooks of the last event again. */
  repeat(): Promise<EmulatedEventCallback[]>
  /** The resource that `trigger` would send now. */
  sample(topic: string): EventRecord['resource']
}

interface EventTriggerOptions {
  readonly records: Records
  readonly sender: FaultySender
  /** Gets a warning when an event calls no webhook. */
  readonly logger: { warn(message: string): void }
}

export function createEventTrigger({ records, sender, logger }: EventTriggerOptions): EventTrigger {
  const createEvent = createEventFactory(records)

  function add(event: EventRecord, { faults }: TriggerOptions): Promise<EmulatedEventCallback[]> {
    if (faults) createFaultPlanner(faults) // Checks them before anything is recorded.
    records.events.set(event.id, event)
    return callWebhooks(event, faults)
  }

  async function callWebhooks(event: EventRecord, faults?: Faults): Promise<EmulatedEventCallback[]> {
    const problem = explainSilence(event.name, records)
    if (problem) logger.warn(problem)
    return (await sender.send(event, faults)).map(copyEventCallback)
  }

  return {
    async trigger(topic, resource, options = {}) {
      return add(createEvent(requireTopic(topic), resource), options)
    },
    async send(topic, document, options = {}) {
      const { payload, resource } = readPayload('send', document)
      return add({ ...createEvent(requireTopic(topic), resource), payload }, options)
    },
    async repeat() {
      const last = [...records.events.values()].at(-1)
      return last ? callWebhooks(last) : []
    },
    sample: (topic) => createEvent(requireTopic(topic), {}).resource,
  }
}

function requireTopic(topic: string): string {
  if (!isTopic(topic)) throw new TypeError(`\`${topic}\` is not a topic of Commerce Layer.`)
  return topic
}
