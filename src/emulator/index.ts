/**
 * A local Commerce Layer: its API for webhooks, event callbacks and events, and the sender that calls the webhooks.
 */
export type { ResourceDocument } from '../wire/document.ts'
export type { EmulatedCall, EmulatedEventCallback, EmulatedWebhook } from './emulated-records.ts'
export { createEmulator, type Emulator, type SubscribeOptions, type TriggerOptions } from './emulator.ts'
export type { EmulatorOptions } from './options.ts'
export type { Faults } from './sender/fault-plan.ts'
