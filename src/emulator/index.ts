/**
 * A local Commerce Layer: its API for webhooks, event callbacks and events, and the sender that calls the webhooks.
 */
export type { ResourceDocument } from '../wire/document.ts'
export type { EmulatedCall, EmulatedEventCallback, EmulatedHolder, EmulatedWebhook } from './emulated-records.ts'
export { createEmulator, type Emulator } from './emulator.ts'
export type { AskOptions, HolderOptions } from './external-resources.ts'
export type { EmulatedAnswer } from './holders/ask.ts'
export type { EmulatedCircuit } from './holders/holders.ts'
export type { EmulatorOptions } from './options.ts'
export type { Faults } from './sender/fault-plan.ts'
export type { SubscribeOptions } from './subscribe.ts'
export type { TriggerOptions } from './trigger-events.ts'
