import {
  createResponder,
  type ExternalResourceKind,
  type Responder,
  type ResponderHandler,
  type ResponderOptions,
} from 'hooklayer/responder'
import { createRequest, type RequestOptions, TEST_SECRET } from 'hooklayer/testing'

interface Line {
  readonly severity: 'warn' | 'error'
  readonly message: string
  readonly fields: unknown
}

/** A logger that keeps its lines. */
export function createLines() {
  const lines: Line[] = []
  const add = (severity: Line['severity']) => (message: string, fields?: unknown) => {
    lines.push({ severity, message, fields })
  }
  return { lines, logger: { warn: add('warn'), error: add('error') } }
}

export const SILENT = createLines().logger

export interface Answer {
  readonly status: number
  readonly body: {
    readonly success?: boolean
    readonly data?: Record<string, unknown>
    readonly error?: { readonly code: string; readonly message: string }
    readonly outcome?: string
  }
}

/** Sends a request of Commerce Layer to a responder. */
export async function ask<K extends ExternalResourceKind>(
  responder: Pick<Responder, 'receive'>,
  kind: K,
  options: RequestOptions<K> = {},
): Promise<Answer> {
  return read(await responder.receive(await createRequest(kind, options)))
}

export function read({ status, body }: { readonly status: number; readonly body: string }): Answer {
  return { status, body: JSON.parse(body) }
}

/** A responder whose handler gives any value, as one that is written in JavaScript may. */
export function respondWith<K extends ExternalResourceKind>(
  kind: K,
  value: unknown,
  options: Partial<ResponderOptions<K>> = {},
): Responder {
  const handler = (typeof value === 'function' ? value : () => value) as ResponderHandler<K>
  return createResponder<K>(kind, { secret: TEST_SECRET, logger: SILENT, ...options }, handler)
}
