/**
 * A local Commerce Layer: its API for webhooks, event callbacks and events, and the sender that calls the webhooks.
 */
export type { ResourceDocument } from '../wire/document.ts'
export type { EmulatedCall, EmulatedEventCallback, EmulatedWebhook } from './emulated-records.ts'
export {
  type AskOptions,
  createEmulator,
  type EmulatedHolder,
  type Emulator,
  type HolderOptions,
  type SubscribeOptions,
  type TriggerOptions,
} from './emulator.ts'
export type { EmulatedAnswer } from './holders/ask.ts'
export type { EmulatedCircuit } from './holders/holders.ts'
export type { EmulatorOptions } from './options.ts'
export type { Faults } from './sender/fault-plan.ts'
