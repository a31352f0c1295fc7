import { TOPICS } from '../../commerce-layer/topics.ts'
import type { Setup } from '../api.ts'
import type { Settings } from './options.ts'

const CATALOGUE: readonly string[] = Object.entries(TOPICS).flatMap(([resource, events]) =>
  events.map((event) => `${resource}.${event}`),
)

export function describeSetup({ recorder, inbox, management, emulator, receiver, callbackUrl }: Settings): Setup {
  const handled = receiver?.subscriptions().flatMap(({ topics }) => topics) ?? []
  const subscribed = emulator?.webhooks.map(({ topic }) => topic) ?? []
  return {
    hasRecorder: recorder !== undefined,
    hasInbox: inbox !== undefined,
    hasWebhooks: management !== undefined || emulator !== undefined,
    hasPlan: management !== undefined && receiver !== undefined && callbackUrl !== undefined,
    isDevelopment: emulator !== undefined,
    canRedeliver: receiver !== undefined && recorder !== undefined,
    topics: CATALOGUE,
    kinds: [...new Set(emulator?.holders.map(({ kind }) => kind))],
    knownTopics: [...new Set([...subscribed, ...handled])].filter((topic) => !topic.includes('*')),
  }
}
