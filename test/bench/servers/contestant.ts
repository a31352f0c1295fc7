import type { RequestListener } from 'node:http'

/** Who receives: this package, a handler without a library, one that reads by `raw-body` as we do, or `@octokit/webhooks`. */
export type Kind = 'hooklayer' | 'hand-written' | 'hand-written, raw-body' | 'octokit'

/** The same for each of them: a listener of `node:http` that takes deliveries at this path, by way of one framework. */
export const PATH = '/webhooks'
export type Contestants = Readonly<Partial<Record<Kind, () => RequestListener | Promise<RequestListener>>>>
