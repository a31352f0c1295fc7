import type {
  ExternalPromotion,
  ExternalTaxCalculator,
  LineItem,
  Market,
  Order,
  ShippingMethod,
} from '@commercelayer/sdk'
import { checkSchema } from '../../schema/check-schema.ts'
import type { RequestOptions } from '../client/abort.ts'
import type { CallOptions, Client } from '../client/client.ts'
import { checkRecordCall, requestOptions } from './arguments.ts'
import { paginate } from './paginate.ts'

/**
 * The holders of one type: they have the URL and the `shared_secret` of an external resource, so do not log a whole
 * one. Wrong arguments throw a TypeError before a request is sent; a call that fails throws a ManagementError.
 *
 * @example
 * for await (const { name, external_prices_url } of management.markets.list()) console.log(name, external_prices_url)
 */
export interface Holders<R> {
  /** Lists all of them, the oldest first, and reads them page by page. */
  list(options?: RequestOptions): AsyncIterable<R>
  /** Reads one. */
  retrieve(id: string, options?: RequestOptions): Promise<R>
}

/** What has a circuit: `circuit_state` and `circuit_failure_count`. */
export interface Circuits<R> {
  /** Reads one. */
  retrieve(id: string, options?: RequestOptions): Promise<R>
  /** Closes the circuit and sets its failure count to 0, so that the shop is asked again. */
  resetCircuit(id: string, options?: RequestOptions): Promise<R>
}

/**
 * The holders of external resources, and where their circuits are. Source: the types of the SDK. That lists can be
 * filtered by time, as those of webhooks are, is an assumption.
 */
export interface HoldersApi {
  /** For prices and order validations. A market has no circuit: see `lineItems` and `orders`. */
  readonly markets: Holders<Market>
  /** For shipping costs. Those of another scheme than `external` are not asked. */
  readonly shippingMethods: Holders<ShippingMethod> & Circuits<ShippingMethod>
  readonly externalPromotions: Holders<ExternalPromotion> & Circuits<ExternalPromotion>
  readonly externalTaxCalculators: Holders<ExternalTaxCalculator> & Circuits<ExternalTaxCalculator>
  /** The circuit of prices is that of a line item. */
  readonly lineItems: Circuits<LineItem>
  /** The circuit of order validations is that of an order. */
  readonly orders: Circuits<Order>
}

/** More are no answer of Commerce Layer. An assumption: an organization may have thousands of promotions. */
const MAX_HOLDERS = 100_000

export function createHoldersApi(client: Client): HoldersApi {
  const { markets, shippingMethods, externalPromotions, externalTaxCalculators, lineItems, orders } = client
  return {
    markets: createHolders(client, 'markets', markets),
    shippingMethods: {
      ...createHolders(client, 'shippingMethods', shippingMethods),
      ...createCircuits(client, 'shippingMethods', shippingMethods),
    },
    externalPromotions: {
      ...createHolders(client, 'externalPromotions', externalPromotions),
      ...createCircuits(client, 'externalPromotions', externalPromotions),
    },
    externalTaxCalculators: {
      ...createHolders(client, 'externalTaxCalculators', externalTaxCalculators),
      ...createCircuits(client, 'externalTaxCalculators', externalTaxCalculators),
    },
    lineItems: createCircuits(client, 'lineItems', lineItems),
    orders: createCircuits(client, 'orders', orders),
  }
}

type ListParams = Parameters<Parameters<typeof paginate>[0]>[0]

/** The methods of the SDK that all types have. */
interface SdkHolders<R> {
  list(params: ListParams, options: CallOptions): Promise<readonly R[]>
  retrieve(id: string, params: object, options: CallOptions): Promise<R>
}

interface SdkCircuits<R> {
  retrieve(id: string, params: object, options: CallOptions): Promise<R>
  _reset_circuit(id: string, params: object, options: CallOptions): Promise<R>
}

function createHolders<R extends { readonly id: string; readonly created_at: string }>(
  client: Client,
  name: keyof HoldersApi,
  holders: SdkHolders<R>,
): Holders<R> {
  return {
    list(options = {}) {
      const { signal } = checkSchema(`${name}.list`, requestOptions, options)
      return paginate((page) => client.call((call) => holders.list(page, call), { signal }), {
        maxRecords: MAX_HOLDERS,
      })
    },
    async retrieve(id, options = {}) {
      return client.call((call) => holders.retrieve(id, {}, call), checkRecordCall(`${name}.retrieve`, id, options))
    },
  }
}

function createCircuits<R>(client: Client, name: keyof HoldersApi, circuits: SdkCircuits<R>): Circuits<R> {
  return {
    async retrieve(id, options = {}) {
      return client.call((call) => circuits.retrieve(id, {}, call), checkRecordCall(`${name}.retrieve`, id, options))
    },
    async resetCircuit(id, options = {}) {
      const call = checkRecordCall(`${name}.resetCircuit`, id, options)
      return client.call((options) => circuits._reset_circuit(id, {}, options), call)
    },
  }
}
