/**
 * Contract suites for stores and inboxes of your own. They run with vitest, and need `vitest` and `fast-check` beside
 * this package.
 */
export type { InboxPlace, InboxPlaceOptions } from './inbox/harness.ts'
export { type InboxSuiteOptions, testInbox } from './inbox/inbox.ts'
export { type StorePlace, type StoreSuiteOptions, testStore } from './store/store.ts'
