/**
 * The default secret of test deliveries: 32 hex characters, as Commerce Layer's shared secrets are. Give it to the
 * receiver under test. It is public, so a receiver refuses it where `NODE_ENV` is `production`.
 *
 * @example
 * const receiver = createReceiver({ secrets: TEST_SECRET })
 */
export const TEST_SECRET = '0123456789abcdef0123456789abcdef'
