/**
 * Test helpers: signed deliveries of every topic, written as Commerce Layer writes them, events for handlers alone, and
 * sample resources.
 */
export { maskText } from '../core/mask-text.ts'
export { sign } from '../core/verify/signature.ts'
export { TEST_SECRET } from '../core/verify/test-secret.ts'
export { type DocumentOptions, type Identified, TEST_ORGANIZATION_ID } from '../wire/document.ts'
export type { Changes } from '../wire/samples/changes.ts'
export { type SampleOf, sampleOf } from '../wire/samples/sample.ts'
export { serialize } from '../wire/serialize.ts'
export { createDelivery, type DeliveryOptions, type TestDelivery } from './delivery.ts'
export { createEvent, type EventOptions } from './event.ts'
export { explainSignature, type SignatureExplanation, type SignatureQuestion } from './explain-signature.ts'
export { createProbe, type ProbeOptions } from './probe.ts'
export { createRequest, type RequestOptions, type TestRequest } from './request.ts'
