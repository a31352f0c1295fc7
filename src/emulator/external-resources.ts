import * as z from 'zod'
import type { ExternalResourceKind } from '../commerce-layer/external-resources.ts'
import { checkSchema, mustBe, wholeNumber } from '../schema/check-schema.ts'
import type { DocumentOptions, ResourceDocument } from '../wire/document.ts'
import type { Resource } from '../wire/schema.ts'
import { copyHolder, type EmulatedHolder } from './emulated-records.ts'
import { checkKind, createAsker, type EmulatedAnswer } from './holders/ask.ts'
import { createHolder, type HolderRecord } from './holders/holders.ts'
import { OPTIONS } from './options.ts'
import { readPayload } from './read-payload.ts'

/** The options of `addHolder` of an emulator. */
export interface HolderOptions {
  /** The shared secret, 16 characters or more. Default: `secret` of the emulator, or else a random one. */
  readonly secret?: string | undefined
  /** Dotted paths, as in `external_includes`. Default: the default ones of the kind. */
  readonly externalIncludes?: readonly string[] | undefined
  /** The price of a shipping method where there is no answer, in cents. Default: 0. */
  readonly priceAmountCents?: number | undefined
}

/** The options of `ask` of an emulator. */
export interface AskOptions {
  /** Changes to the sample of the kind, or a whole resource, as in `createRequest` of `hooklayer/testing`. */
  readonly resource?: object | undefined
  /** A document in the place of `resource`, sent as it is: `request` of an earlier answer. Bytes stay the same. */
  readonly document?: ResourceDocument | Uint8Array | undefined
  /** The id of the holder to ask. Default: the last one of the kind. */
  readonly holderId?: string | undefined
}

/** The holders of external resources, and what they were answered. */
export interface ExternalResources {
  addHolder(kind: ExternalResourceKind, url: string, options?: HolderOptions): EmulatedHolder
  ask(kind: ExternalResourceKind, options?: AskOptions): Promise<EmulatedAnswer>
  /** The resource that `ask` would send now. */
  sample(kind: ExternalResourceKind): Resource
  /** The last answers, in the order of their ends. */
  readonly answers: readonly EmulatedAnswer[]
  /** Ends all calls. */
  close(): void
}

interface ExternalResourcesOptions extends Pick<DocumentOptions, 'mode' | 'organizationId'> {
  /** By id. */
  readonly holders: Map<string, HolderRecord>
  /** The shared secret of all holders. Default: a random one for each. */
  readonly secret?: string | undefined
  readonly timeoutMs?: number | undefined
  readonly maxAnswers: number
  /** Is called with each answer, also where none came. It must not throw. */
  readonly onAnswer: (answer: EmulatedAnswer) => void
}

/** An assumption, which bounds the memory. */
const MAX_HOLDERS = 1000

const HOLDER = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'must be an HTTP or HTTPS URL' }),
  secret: OPTIONS.shape.secret,
  externalIncludes: z.array(z.string(), mustBe('a list of paths')).optional(),
  priceAmountCents: wholeNumber(0).optional(),
})

export function createExternalResources(options: ExternalResourcesOptions): ExternalResources {
  const { holders, secret, mode, organizationId, timeoutMs, maxAnswers, onAnswer } = options
  const asker = createAsker({ mode, organizationId }, timeoutMs)
  const answers: EmulatedAnswer[] = []

  function findHolder(id: string | undefined, kind: ExternalResourceKind): HolderRecord {
    const found = [...holders.values()].findLast((one) => (id === undefined ? one.kind === kind : one.id === id))
    if (found) return found
    throw new TypeError(
      id === undefined ? `Nothing holds \`${kind}\`: call \`addHolder\` first.` : `There is no holder ${id}.`,
    )
  }

  return {
    addHolder(kind, url, given = {}) {
      checkKind(kind)
      checkSchema('addHolder', HOLDER, { url, ...given })
      if (holders.size >= MAX_HOLDERS) throw new TypeError(`The emulator keeps up to ${MAX_HOLDERS} holders.`)
      const holder = createHolder(kind, url, { ...given, secret: given.secret ?? secret })
      holders.set(holder.id, holder)
      return copyHolder(holder)
    },
    async ask(kind, { resource = {}, document, holderId } = {}) {
      checkKind(kind)
      const holder = findHolder(holderId, kind)
      const question = document ? readPayload('ask', document).payload : asker.write(holder, resource)
      const answer = await asker.ask(holder, question)
      answers.push(answer)
      if (answers.length > maxAnswers) answers.shift()
      onAnswer(answer)
      return answer
    },
    sample: (kind) => asker.sample(findHolder(undefined, kind), {}),
    get answers() {
      return [...answers]
    },
    close: asker.close,
  }
}
