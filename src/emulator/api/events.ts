import * as z from 'zod'
import type { EventRecord, Sender } from '../records.ts'
import { flag, SHARED_CHECKS } from './checks.ts'

export const EVENT_UPDATE = z.strictObject({ ...SHARED_CHECKS, _trigger: flag })

/** Changes an event. `_trigger` calls its webhooks again, and does not wait for the calls. */
export function updateEvent(event: EventRecord, attributes: z.infer<typeof EVENT_UPDATE>, sender: Sender): void {
  const { _trigger, metadata, ...references } = attributes
  const now = new Date().toISOString()
  Object.assign(event, references, metadata !== undefined && { metadata: metadata ?? {} }, { updated_at: now })
  // An event whose resource cannot be written stays unsent: the `trigger` that made it has thrown.
  if (_trigger) sender.send(event).catch(() => {})
}
