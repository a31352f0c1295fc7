/**
 * For users' own tests: signed deliveries of every topic, written as Commerce Layer writes them, and sample resources.
 */
export { sign } from '../core/signature.ts'
export type { Changes } from './changes.ts'
export { createDelivery, type DeliveryOptions, TEST_SECRET, type TestDelivery } from './delivery.ts'
export { type DocumentOptions, TEST_ORGANIZATION_ID } from './document.ts'
export { type SampleOf, sampleOf } from './sample.ts'
export { serialize } from './wire.ts'
