import { createHmac } from 'node:crypto'
import type { TestDelivery } from '../../src/testing/index.ts'

interface Linked {
  links: { self: string; related: string }
  data?: unknown
}

export interface WireResource {
  id: string
  type: string
  attributes?: Record<string, unknown>
  relationships?: Record<string, Linked>
  meta: Record<string, unknown>
}

export interface WireDocument {
  data: WireResource
  included?: WireResource[]
  meta?: Record<string, unknown>
}

export function readText({ body }: TestDelivery): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(body)
}

export function readDocument(delivery: TestDelivery): WireDocument {
  return JSON.parse(readText(delivery))
}

export function readAttributes(delivery: TestDelivery): Record<string, unknown> {
  return readDocument(delivery).data.attributes ?? {}
}

export function findIncluded(delivery: TestDelivery, type: string): WireResource[] {
  return readDocument(delivery).included?.filter((resource) => resource.type === type) ?? []
}

export function computeHmac({ body }: TestDelivery, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('base64')
}
