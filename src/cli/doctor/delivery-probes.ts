import { FORGED, FORGED_PROBES } from './forged-probes.ts'
import { GENUINE_PROBES, PLAIN } from './genuine-probes.ts'
import type { Probe, Suite } from './probe.ts'

/** It comes last: whatever the others have done, the endpoint must still be there. */
const AFTERWARDS: Probe = {
  ...FORGED,
  name: 'afterwards',
  sends: 'the forged delivery of the beginning once more',
}

/** What is sent to an endpoint of webhooks. */
export const DELIVERIES: Suite = {
  forged: FORGED,
  plain: PLAIN,
  others: [...GENUINE_PROBES, ...FORGED_PROBES],
  afterwards: AFTERWARDS,
}
