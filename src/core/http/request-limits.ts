import { type CheckedOptions, positiveInteger, wrongOption } from '../check-options.ts'

/** The options for requests that receivers and responders have. */
export const REQUEST_LIMITS = {
  maxBodyBytes: positiveInteger(5 * 1024 * 1024),
  bodyTimeoutMs: positiveInteger(4000),
  maxInFlight: positiveInteger(1000),
  maxUnverified: positiveInteger(256),
  maxUnverifiedBytes: positiveInteger(64 * 1024 * 1024),
}

/**
 * Makes room for one body of the largest size.
 *
 * @param owner whose options they are, for the message.
 * @throws TypeError if an option leaves less.
 */
export function fitBodies<Settings extends CheckedOptions<typeof REQUEST_LIMITS>>(
  owner: string,
  given: { readonly maxUnverifiedBytes?: number | undefined },
  settings: Settings,
): Settings {
  const { maxBodyBytes, maxUnverifiedBytes } = settings
  if (given.maxUnverifiedBytes !== undefined && maxUnverifiedBytes < maxBodyBytes) {
    throw wrongOption(owner, 'maxUnverifiedBytes', 'must not be less than `maxBodyBytes`')
  }
  return { ...settings, maxUnverifiedBytes: Math.max(maxUnverifiedBytes, maxBodyBytes) }
}
