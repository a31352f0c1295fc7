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

export function textOf({ body }: TestDelivery): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(body)
}

export function documentOf(delivery: TestDelivery): WireDocument {
  return JSON.parse(textOf(delivery))
}

export function attributesOf(delivery: TestDelivery): Record<string, unknown> {
  return documentOf(delivery).data.attributes ?? {}
}

export function includedOf(delivery: TestDelivery, type: string): WireResource[] {
  return documentOf(delivery).included?.filter((resource) => resource.type === type) ?? []
}

export function hmacOf({ body }: TestDelivery, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('base64')
}
