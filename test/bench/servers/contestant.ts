import type { RequestListener } from 'node:http'

/**
 * The receiver: this package, a handler without a library, one that reads with `raw-body` as we do, or
 * `@octokit/webhooks`.
 */
export type Kind = 'hooklayer' | 'hand-written' | 'hand-written, raw-body' | 'octokit'

/** The path at which all of them take deliveries: each is a listener of `node:http`, made with one framework. */
export const PATH = '/webhooks'
export type Contestants = Readonly<Partial<Record<Kind, () => RequestListener | Promise<RequestListener>>>>
