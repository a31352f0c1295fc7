import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { describe, expect, it } from 'vitest'
import { testInbox } from '../../src/contracts/inbox/inbox.ts'
import { thrownBy } from '../deliveries.ts'

/** Always opens the same inbox, because there is no other process. */
function createPlace() {
  let inbox: ReturnType<typeof createMemoryInbox> | undefined
  return {
    open(options = {}) {
      inbox ??= createMemoryInbox(options)
      return inbox
    },
  }
}

testInbox('the memory inbox', createPlace, { isDurable: false })

describe('the options of the memory inbox', () => {
  it.each([
    [{ maxQueued: 0 }, 'createMemoryInbox: `maxQueued` must be a whole number over 0.'],
    [{ retentionMs: Number.NaN }, 'createMemoryInbox: `retentionMs` must be a whole number over 0.'],
    [{ deadLetterRetentionMs: 0 }, 'createMemoryInbox: `deadLetterRetentionMs` must be a whole number over 0.'],
    [{ leaseMs: 10 }, 'createMemoryInbox has no option `leaseMs`.'],
  ])('are refused when they are wrong: %j', (options, message) => {
    expect(thrownBy(() => createMemoryInbox(options as object))).toEqual(new TypeError(message))
  })
})
