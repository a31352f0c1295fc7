const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * What keeps an address from being called, in words that go behind its name: `is not a URL`; `undefined` if nothing does. Deliveries
 * hold personal data and tokens are worth as much, so everything but a loopback host must be https.
 */
export function describeUrlProblem(address: string): string | undefined {
  if (!URL.canParse(address)) return 'is not a URL'
  const { protocol, hostname, username, password } = new URL(address)
  if (username || password) return 'must not hold a user name or password'
  if (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))) return undefined
  return 'must start with https://, unless its host is loopback'
}
