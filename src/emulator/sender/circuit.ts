import { FAILURES_TO_OPEN } from '../../commerce-layer/limits.ts'
import type { Records, WebhookRecord } from '../records.ts'

/** Whether a webhook exists, is enabled and has a closed circuit. */
export function isCallable({ webhooks }: Records, webhook: WebhookRecord): boolean {
  return webhooks.get(webhook.id) === webhook && webhook.disabled_at === null && webhook.circuit_state === 'closed'
}

/**
 * Counts a success or a failure, and returns whether it opened the circuit. The end of a call does not change an open
 * circuit: only `_reset_circuit` closes it.
 */
export function countCall(webhook: WebhookRecord, isSuccess: boolean): boolean {
  const failures = isSuccess ? 0 : webhook.circuit_failure_count + 1
  if (webhook.circuit_state === 'open' || failures === webhook.circuit_failure_count) return false
  webhook.circuit_failure_count = failures
  webhook.updated_at = new Date().toISOString()
  if (failures < FAILURES_TO_OPEN) return false
  webhook.circuit_state = 'open'
  return true
}
