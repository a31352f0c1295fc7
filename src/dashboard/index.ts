/**
 * A dashboard for a receiver: its deliveries, inbox, webhooks and health, as a Fetch handler and as a listener of Node.
 */
export { createDashboard, type Dashboard } from './server/dashboard.ts'
export type { Authorize, DashboardOptions } from './server/options.ts'
