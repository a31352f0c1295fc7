import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createNodeListener } from 'hooklayer/node'
import { expect, it, vi } from 'vitest'
import { createMounts, type Mount } from '../adapters/mounts.ts'
import { HANDLED, ORDER } from '../contracts/adapter/deliveries.ts'
import { send } from '../contracts/adapter/harness.ts'
import { listen } from '../contracts/adapter/listen.ts'
import { connect, headOf, type RawClient } from '../contracts/adapter/raw-client.ts'
import { describeUnless } from '../unless.ts'

const SENDERS = 2000
const MAX_BODY_BYTES = 64 * 1024
/** Timeouts too long to be reached: opening so many connections can take seconds. Other tests cover the timeouts. */
const LIMITS = { maxBodyBytes: MAX_BODY_BYTES, bodyTimeoutMs: 60_000, deadlineMs: 60_000 }
const DEFAULT_MAX_UNVERIFIED = 256

/** Senders and receiver run in one process, so that each connection takes two files. */
const report = process.report.getReport() as { userLimits?: { open_files?: { hard?: unknown } } }
const maxOpenFiles = Number(report.userLimits?.open_files?.hard) || Number.POSITIVE_INFINITY

const tooFewFiles = maxOpenFiles < 3 * SENDERS ? `only ${maxOpenFiles} files can be open` : undefined

describeUnless(tooFewFiles)(`${SENDERS} senders that stop after a kilobyte`, () => {
  const mount = createMounts()

  it('are cut off over `maxUnverified`, and never delay a genuine delivery', async () => {
    const target = await mount((receiver) => listen(createNodeListener(receiver)), LIMITS)
    const before = measureMemory()
    const starting = startSenders(target)
    for (let round = 0; round < 10; round += 1) expect((await send(target, ORDER)).text).toBe(HANDLED)
    const senders = await starting
    await vi.waitFor(() => expect(target.errors).toHaveLength(SENDERS - DEFAULT_MAX_UNVERIFIED), { timeout: 20_000 })
    expect(new Set(target.errors)).toEqual(new Set(['BODY_TIMEOUT']))
    expect(measureMemory() - before).toBeLessThan(SENDERS * MAX_BODY_BYTES)
    expect((await send(target, ORDER)).text).toBe(HANDLED)
    for (const sender of senders) sender.reset()
    await vi.waitFor(() => expect(target.errors).toHaveLength(SENDERS), { timeout: 20_000 })
  })

  it('are left alone while there are fewer than `maxUnverified`', async () => {
    const options = { ...LIMITS, maxUnverified: 2 * SENDERS }
    const target = await mount((receiver) => listen(createNodeListener(receiver)), options)
    const before = measureMemory()
    const senders = await startSenders(target)
    const begin = performance.now()
    for (let round = 0; round < 10; round += 1) expect((await send(target, ORDER)).text).toBe(HANDLED)
    expect(performance.now() - begin).toBeLessThan(2000)
    expect(target.errors).toEqual([])
    expect(measureMemory() - before).toBeLessThan(SENDERS * MAX_BODY_BYTES)
    for (const sender of senders) sender.reset()
    await vi.waitFor(() => expect(target.errors).toHaveLength(SENDERS), { timeout: 20_000 })
    expect(new Set(target.errors)).toEqual(new Set(['BODY_ABORTED']))
  })
})

async function startSenders(target: Mount): Promise<RawClient[]> {
  const begun = headOf(target, { ...ORDER.headers, 'content-length': String(MAX_BODY_BYTES) }) + 'x'.repeat(1024)
  const senders: RawClient[] = []
  while (senders.length < SENDERS) {
    const batch = await Promise.all(Array.from({ length: 200 }, () => connect(target)))
    await Promise.all(batch.map((sender) => sender.send(begun)))
    senders.push(...batch)
  }
  return senders
}

/** Collects garbage, and gives the bytes that the heap and the buffers hold. */
function measureMemory(): number {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
