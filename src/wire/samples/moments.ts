import type { ResourceOf } from '../../commerce-layer/resources.ts'
import type { Topic } from '../../commerce-layer/topics.ts'
import { EXAMPLE_TIME } from '../schema.ts'

const AT = EXAMPLE_TIME
const IN_A_MONTH = '2024-03-21T16:37:09.750Z'

const CART = {
  status: 'draft',
  payment_status: 'unpaid',
  editable: true,
  placed_at: null,
  approved_at: null,
  payment_updated_at: null,
} as const
const PENDING = { ...CART, status: 'pending' } as const
const PLACED = {
  status: 'placed',
  payment_status: 'authorized',
  editable: true,
  placed_at: AT,
  approved_at: null,
} as const
const APPROVED = { ...PLACED, status: 'approved', payment_status: 'paid', editable: false, approved_at: AT } as const
const CANCELLED = {
  ...PLACED,
  status: 'cancelled',
  payment_status: 'voided',
  editable: false,
  cancelled_at: AT,
} as const

const REFUSED = {
  succeeded: false,
  message: 'Your card was declined.',
  error_code: 'card_declined',
  error_detail: 'Insufficient funds',
} as const

const STARTED = { status: 'in_progress', started_at: AT } as const
const COMPLETED = { status: 'completed', started_at: AT, completed_at: AT } as const
const INTERRUPTED = { status: 'interrupted', started_at: AT, interrupted_at: AT } as const
const FAILED = { status: 'failed', started_at: AT, failed_at: AT, errors_count: 1 } as const
const PENDING_JOB = { status: 'pending', started_at: null } as const

/**
 * Attributes that the event of a topic changes, where the example attributes of the type would contradict the event.
 */
const EVENT_ATTRIBUTES = {
  'authorizations.failed': REFUSED,
  'captures.failed': REFUSED,
  'cleanups.complete': { ...COMPLETED, processed_count: 300 },
  'cleanups.create': { ...PENDING_JOB, processed_count: 0 },
  'cleanups.interrupt': INTERRUPTED,
  'cleanups.start': STARTED,
  'customer_password_resets.reset_password': { reset_password_at: AT },
  'customers.acquired': { status: 'acquired', total_orders_count: 1 },
  'customers.anonymization_cancelled': { anonymization_status: 'cancelled' },
  'customers.anonymization_completed': { anonymization_status: 'completed' },
  'customers.anonymization_failed': { anonymization_status: 'failed' },
  'customers.anonymization_started': { anonymization_status: 'started' },
  'customers.create_password': { has_password: true },
  'customers.metadata_update': { metadata: { newsletter: true } },
  'customers.repeat': { status: 'repeat', total_orders_count: 2 },
  'exports.complete': { ...COMPLETED, processed_count: 300, progress: 100 },
  'exports.create': { ...PENDING_JOB, processed_count: 0, progress: 0, attachment_url: null },
  'exports.interrupt': { ...INTERRUPTED, attachment_url: null },
  'exports.start': { ...STARTED, attachment_url: null },
  'external_promotions.failed': { circuit_failure_count: 1 },
  'gift_cards.activate': { status: 'active' },
  'gift_cards.deactivate': { status: 'inactive' },
  'gift_cards.purchase': { status: 'active' },
  'gift_cards.redeem': { status: 'redeemed' },
  'gift_cards.use': { status: 'active', balance_cents: 9300, balance_float: 93, formatted_balance: '€93,00' },
  'imports.complete': { ...COMPLETED, processed_count: 300 },
  'imports.create': { ...PENDING_JOB, processed_count: 0 },
  'imports.interrupt': INTERRUPTED,
  'imports.start': STARTED,
  'in_stock_subscriptions.deactivate': { status: 'inactive' },
  'in_stock_subscriptions.notify': { status: 'notified' },
  'order_copies.complete': COMPLETED,
  'order_copies.create': PENDING_JOB,
  'order_copies.fail': FAILED,
  'order_copies.start': STARTED,
  'order_subscriptions.activate': { status: 'active' },
  'order_subscriptions.cancel': { status: 'cancelled' },
  'order_subscriptions.deactivate': { status: 'inactive' },
  'order_subscriptions.last_run_failed': {
    status: 'active',
    last_run_at: AT,
    succeeded_on_last_run: false,
    errors_count: 1,
  },
  'order_subscriptions.last_run_succeeded': { status: 'active', last_run_at: AT, succeeded_on_last_run: true },
  'order_subscriptions.renewal': { status: 'active', next_run_at: IN_A_MONTH },
  'orders.approve': APPROVED,
  'orders.authorize': PLACED,
  'orders.cancel': CANCELLED,
  'orders.cancel_fulfilling': APPROVED,
  'orders.cancel_subscriptions': APPROVED,
  'orders.create': CART,
  'orders.create_subscriptions': { ...APPROVED, subscription_created_at: AT },
  'orders.draft': CART,
  'orders.fulfill': { ...APPROVED, fulfillment_status: 'fulfilled', fulfillment_updated_at: AT },
  'orders.pay': { ...PLACED, payment_status: 'paid' },
  'orders.pending': PENDING,
  'orders.place': PLACED,
  'orders.placing': { ...PENDING, status: 'placing' },
  'orders.rebuild_shipments': PENDING,
  'orders.refund': { ...APPROVED, payment_status: 'refunded' },
  'orders.start_editing': { ...PLACED, status: 'editing' },
  'orders.start_fulfilling': { ...APPROVED, fulfillment_status: 'in_progress', fulfillment_updated_at: AT },
  'orders.stop_editing': PLACED,
  'orders.tagged': PLACED,
  'orders.tax_calculation_failed': { ...PENDING, errors_count: 1 },
  'orders.void': CANCELLED,
  'parcels.available_for_pickup': { tracking_status: 'available_for_pickup' },
  'parcels.cancelled': { tracking_status: 'cancelled' },
  'parcels.delivered': { tracking_status: 'delivered', signed_by: 'John Smith' },
  'parcels.failure': { tracking_status: 'failure' },
  'parcels.in_transit': { tracking_status: 'in_transit' },
  'parcels.out_for_delivery': { tracking_status: 'out_for_delivery' },
  'parcels.return_to_sender': { tracking_status: 'return_to_sender' },
  'price_list_schedulers.activated': { status: 'active' },
  'price_list_schedulers.expired': { status: 'expired', active: false, expires_at: AT },
  'recurring_order_copies.complete': COMPLETED,
  'recurring_order_copies.create': PENDING_JOB,
  'recurring_order_copies.fail': FAILED,
  'recurring_order_copies.start': STARTED,
  'refunds.failed': REFUSED,
  'returns.approve': { status: 'approved', approved_at: AT },
  'returns.receive': { status: 'received', received_at: AT },
  'returns.reject': { status: 'rejected', rejected_at: AT },
  'returns.request': { status: 'requested' },
  'returns.restock': { status: 'received', received_at: AT },
  'returns.ship': { status: 'shipped', shipped_at: AT },
  'shipments.cancel': { status: 'cancelled' },
  'shipments.deliver': { status: 'delivered', shipped_at: AT, delivered_at: AT },
  'shipments.on_hold': { status: 'on_hold', on_hold_at: AT },
  'shipments.packing': { status: 'packing', packing_at: AT },
  'shipments.picking': { status: 'picking', picking_at: AT },
  'shipments.ready_to_ship': { status: 'ready_to_ship', ready_to_ship_at: AT },
  'shipments.ship': { status: 'shipped', shipped_at: AT },
  'shipments.upcoming': { status: 'upcoming' },
  'stock_transfers.cancel': { status: 'cancelled', cancelled_at: AT },
  'stock_transfers.complete': { status: 'completed', completed_at: AT },
  'stock_transfers.in_transit': { status: 'in_transit', in_transit_at: AT },
  'stock_transfers.on_hold': { status: 'on_hold', on_hold_at: AT },
  'stock_transfers.picking': { status: 'picking', picking_at: AT },
  'stock_transfers.upcoming': { status: 'upcoming' },
  'transactions.refused': REFUSED,
  'voids.failed': REFUSED,
} as const satisfies { readonly [T in Topic]?: Partial<ResourceOf<T>> }

/** The attributes that an event changes: `status`, `placed_at` and more for `orders.place`. Empty if there are none. */
export function findEventAttributes(topic: string): Readonly<Record<string, unknown>> {
  return Object.hasOwn(EVENT_ATTRIBUTES, topic) ? EVENT_ATTRIBUTES[topic as keyof typeof EVENT_ATTRIBUTES] : {}
}
