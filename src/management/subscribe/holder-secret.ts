import { z } from 'zod'
import {
  EXTERNAL_HOLDERS,
  type ExternalResourceKind,
  isExternalResourceKind,
} from '../../commerce-layer/external-resources.ts'
import type { Logger } from '../../index.ts'
import { checkSchema, logger, milliseconds } from '../../schema/check-schema.ts'
import { url } from '../resources/arguments.ts'
import type { HoldersApi } from '../resources/holders.ts'
import { keepSecrets } from './keep-secrets.ts'

/** The options of `holderSecret` of a management. */
export interface HolderSecretOptions {
  /** The URL of the responder, exactly as its holders have it. */
  readonly url: string
  /** After how many milliseconds the next request has the secrets read again; default one hour. */
  readonly refreshMs?: number | undefined
  /** Gets a warning when the secrets cannot be read again. Default: the console. */
  readonly logger?: Pick<Logger, 'warn'> | undefined
}

/** The secrets of the holders of one URL, as `secret` of a responder. */
export interface HolderSecretLookUp {
  (): Promise<string[] | undefined>
  /** Gives the secrets that are new since. */
  refresh(): Promise<string[] | undefined>
}

const OPTIONS = z.strictObject({ url, refreshMs: milliseconds.optional(), logger: logger.optional() })

/** The list of each type of holder. */
const LISTS = {
  markets: 'markets',
  shipping_methods: 'shippingMethods',
  external_promotions: 'externalPromotions',
  external_tax_calculators: 'externalTaxCalculators',
} as const satisfies Readonly<Record<string, keyof HoldersApi>>

/** Implements `management.holderSecret`. */
export function createHolderSecret(
  api: HoldersApi,
  kind: ExternalResourceKind,
  options: HolderSecretOptions,
): HolderSecretLookUp {
  if (!isExternalResourceKind(kind)) {
    throw new TypeError(`holderSecret: the kind must be one of ${Object.keys(EXTERNAL_HOLDERS).join(', ')}.`)
  }
  const { url, ...others } = checkSchema('holderSecret', OPTIONS, options)
  const { type, urlAttribute } = EXTERNAL_HOLDERS[kind]
  const holders = api[LISTS[type]]

  /** The API is not known to filter by these URLs, so all holders are read. */
  async function read(): Promise<Map<string, string[]>> {
    const secrets: string[] = []
    for await (const holder of holders.list()) {
      if (Reflect.get(holder, urlAttribute) === url) secrets.push(holder.shared_secret)
    }
    return new Map([[kind, secrets]])
  }

  const kept = keepSecrets(read, others)
  return Object.assign(() => kept(kind), { refresh: () => kept.refresh(kind) })
}
