import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect, isDeepStrictEqual } from 'node:util'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { createRandom } from '../../src/emulator/sender/random.ts'
import { waitFor } from '../wait-for.ts'
import { createEffects } from './effects.ts'
import type { ShopProcess } from './shop-process.ts'
import { killAll } from './shop-process.ts'
import { checkpoint, copyDatabase, cut, damage } from './sqlite-files/damage.ts'
import { createDisk, type Disk, noDisk } from './sqlite-files/disk.ts'
import { createNumbers, openScene } from './sqlite-files/harness.ts'

afterAll(killAll)

const ONE_AT_A_TIME = { concurrency: 1, backoffMs: 50 }

function openDisk(onTestFinished: (end: () => void) => void, kilobytes = 800): Disk {
  const disk = createDisk(kilobytes)
  onTestFinished(disk.remove)
  return disk
}

if (noDisk) console.log(`A disk that is full or read-only is not tested: ${noDisk}.`)

describe.skipIf(noDisk)('a disk that is full', () => {
  it('makes an inbox refuse what it cannot store, lose nothing, and work again when there is space', async ({
    onTestFinished,
  }) => {
    const { receive, work, send, sendAll, settled, isDone, effects } = await openScene('inbox', onTestFinished)
    const { folder, fill, free } = openDisk(onTestFinished, 3200)
    const receiver = await receive(folder)
    expect(await sendAll(createNumbers(10))).toEqual(Array(10).fill(202))
    fill()
    expect(await sendAll(createNumbers(3, 10))).toEqual(Array(3).fill(503))
    const worker = await work(folder, { handlerMs: 500 })
    await vi.waitFor(() => expect(worker.output()).toContain('The inbox failed'), { timeout: 10_000 })
    expect(effects.lines()).toEqual([])
    free()
    await vi.waitFor(() => expect(effects.lines().length).toBeGreaterThanOrEqual(10), { timeout: 10_000 })
    fill()
    expect(await send(13)).toBe(503)
    await vi.waitFor(() => expect(effects.counts().size).toBeGreaterThanOrEqual(10), { timeout: 10_000 })
    free()
    await settled()
    await isDone(createNumbers(14))
    expect((await worker.terminate()).code).toBe(0)
    expect((await receiver.terminate()).code).toBe(0)
    console.log('inbox on a full disk: 14 sent, 4 of them refused and taken later; 0 lost, 0 twice')
  })

  it('makes a store refuse what it cannot reserve, and record later what was handled meanwhile', async ({
    onTestFinished,
  }) => {
    const { receive, send, sendAll, settled, isDone, effects } = await openScene('store', onTestFinished)
    const { folder, fill, free } = openDisk(onTestFinished)
    const first = await receive(folder, { handlerMs: 300 })
    expect(await sendAll(createNumbers(3))).toEqual([200, 200, 200])
    const answer = send(3)
    await waitFor(() => expect(effects.lines().at(-1)).toMatchObject({ what: 'begin', number: 3 }))
    fill()
    expect(await answer).toBe(200)
    await waitFor(() => expect(first.output()).toContain('was handled, but the idempotency store could not record it'))
    expect(await send(3)).toBe(200)
    // The space that the last attempt took may be enough for a reservation or two.
    let count = 5
    while ((await send(count - 1)) === 200 && count < 20) count += 1
    await waitFor(() => expect(first.output()).toContain('503 STORE_UNAVAILABLE'))
    free()
    await settled()
    await isDone(createNumbers(count))
    expect((await first.terminate()).code).toBe(0)
    const second = await receive(folder)
    expect(new Set(await sendAll(createNumbers(count)))).toEqual(new Set([200]))
    await isDone(createNumbers(count))
    await second.kill()
    console.log(`store on a full disk: ${count} sent, one of them refused and taken later; 0 lost, 0 twice`)
  })
})

describe.each(['inbox', 'store'] as const)('a process does not start and says what to do, with the %s', (kind) => {
  it.for<[string, (folder: string, file: string) => unknown]>([
    ['in a folder that does not exist', (folder) => join(folder, 'missing')],
    ['in a file that is not a database', (folder, file) => writeFileSync(file, 'no database '.repeat(1000)) ?? folder],
  ])('%s', async ([, prepare], { onTestFinished }) => {
    const { receive, getFile, effects } = await openScene(kind, onTestFinished)
    const place = String(prepare(effects.folder, getFile(effects.folder)))
    const shop = await receive(place)
    expect([shop.port, shop.hasEnded() && (await shop.ended)]).toEqual([undefined, 1])
    expect(shop.output()).toContain(`The SQLite database ${getFile(place)} cannot be used. Its folder must exist`)
  })

  it.skipIf(noDisk)('on a disk that is full or read-only', async ({ onTestFinished }) => {
    const { receive, getFile } = await openScene(kind, onTestFinished)
    const { folder, fill, free, protect } = openDisk(onTestFinished)
    const fails = async () => {
      const shop = await receive(folder)
      expect([shop.port, shop.hasEnded() && (await shop.ended)]).toEqual([undefined, 1])
      expect(shop.output()).toContain(`The SQLite database ${getFile(folder)} cannot be used. Its folder must exist`)
    }
    fill()
    await fails()
    free()
    const shop = await receive(folder)
    expect(shop.port).toBeGreaterThan(0)
    await shop.kill()
    protect()
    await fails()
  })
})

/** Whether the processes have reported that the file is damaged. */
const haveReported = (...shops: readonly (ShopProcess | undefined)[]) =>
  shops.some((shop) =>
    /cannot be used|malformed|not a database|DOCUMENT_INVALID|BODY_DAMAGED|STORE_UNAVAILABLE/.test(
      shop?.output() ?? '',
    ),
  )

describe.each(['inbox', 'store'] as const)('damage to the file of the %s', (kind) => {
  it('that is in use is reported, or does no harm', async ({ onTestFinished }) => {
    const scene = await openScene(kind, onTestFinished, { retries: 0 })
    const draw = createRandom(7)
    const found = { accepted: 0, refused: 0, 'not handled, and reported': 0, silent: 0 }
    for (const round of createNumbers(6)) {
      const folder = join(scene.effects.folder, `round-${round}`)
      mkdirSync(folder)
      const receiver = await scene.receive(folder)
      const numbers = createNumbers(20, round * 100)
      const answers = await scene.sendAll(numbers.slice(0, 10))
      const worker = kind === 'inbox' ? await scene.work(folder, { handlerMs: 40, worker: ONE_AT_A_TIME }) : undefined
      await vi.waitFor(() => expect(scene.effects.counts().has(round * 100)).toBe(true), 10_000)
      checkpoint(scene.getFile(folder))
      damage(scene.getFile(folder), draw)
      answers.push(...(await scene.sendAll(numbers.slice(10))))
      const accepted = numbers.filter((_, at) => answers[at] === scene.accepted)
      const notHandled = () => accepted.filter((number) => scene.effects.counts().get(number) !== 1).length
      await vi
        .waitFor(() => expect(notHandled() === 0 || haveReported(receiver, worker)).toBe(true), 5000)
        .catch(() => {})
      found.accepted += accepted.length
      found.refused += answers.filter((answer) => answer === 503).length
      found[haveReported(receiver, worker) ? 'not handled, and reported' : 'silent'] += notHandled()
      await Promise.all([receiver.kill(), worker?.kill()])
    }
    console.log(`${kind} damaged in use, 6 rounds: ${inspect(found)}`)
    expect(found.silent).toBe(0)
    expect(found.accepted + found.refused).toBe(120)
    expect([...scene.effects.counts().values()].filter((count) => count !== 1)).toEqual([])
  })

  it('that is not in use is found at the start, or does no harm', async ({ onTestFinished }) => {
    const scene = await openScene(kind, onTestFinished, { retries: 0 })
    const { folder } = scene.effects
    const first = await scene.receive(folder)
    await scene.sendAll(createNumbers(30))
    await first.kill()
    checkpoint(scene.getFile(folder))
    const draw = createRandom(11)
    const rounds = { refused: 0, harmless: 0, reported: 0 }
    for (const round of createNumbers(12)) {
      const place = join(folder, `damaged-${round}`)
      damage(copyDatabase(scene.getFile(folder), place), draw)
      const own = createEffects()
      onTestFinished(own.remove)
      const receiver = await scene.receive(place, { effects: own.file })
      if (receiver.port === undefined) {
        expect(receiver.output()).toContain(`The SQLite database ${scene.getFile(place)} cannot be used.`)
        rounds.refused += 1
        continue
      }
      const answer = await scene.send(1000 + round)
      const worker = kind === 'inbox' ? await scene.work(place, { effects: own.file }) : undefined
      if (kind === 'store') await scene.sendAll(createNumbers(30))
      const due = [...(kind === 'inbox' ? createNumbers(30) : []), ...(answer === scene.accepted ? [1000 + round] : [])]
      const isRight = () =>
        isDeepStrictEqual(
          [...own.counts()].sort(byNumber),
          due.map((number) => [number, 1]),
        )
      await vi.waitFor(() => expect(isRight() || haveReported(receiver, worker)).toBe(true), 10_000)
      rounds[isRight() ? 'harmless' : 'reported'] += 1
      await Promise.all([receiver.kill(), worker?.kill()])
    }
    console.log(`${kind} damaged at rest, 12 rounds: ${inspect(rounds)}; 0 silent`)
  })

  it('that cuts the end of its WAL leaves the earlier deliveries, and nothing else', async ({ onTestFinished }) => {
    const scene = await openScene(kind, onTestFinished)
    const { folder } = scene.effects
    const leases = { idempotency: { leaseMs: 500 } }
    const first = await scene.receive(folder, kind === 'store' ? leases : {})
    await scene.sendAll(createNumbers(20))
    await first.kill()
    const left: number[] = []
    for (const share of [0, 0.1, 0.34, 0.5, 0.77, 0.99, 1]) {
      const place = join(folder, `cut-${share}`)
      cut(`${copyDatabase(scene.getFile(folder), place)}-wal`, share)
      const own = createEffects()
      onTestFinished(own.remove)
      const receiver = await scene.receive(place, { effects: own.file, ...(kind === 'store' && leases) })
      if (kind === 'store') await scene.sendAll(createNumbers(20))
      await scene.send(1000)
      const worker =
        kind === 'inbox' ? await scene.work(place, { effects: own.file, worker: ONE_AT_A_TIME }) : undefined
      await scene.settled()
      await vi.waitFor(() => expect(own.counts().get(1000)).toBe(1), 10_000)
      const handled = [...own.counts().keys()].filter((number) => number !== 1000).sort((a, b) => a - b)
      const isThere = createNumbers(20).filter((number) => handled.includes(number) === (kind === 'inbox'))
      left.push(isThere.length)
      expect(isThere).toEqual(createNumbers(isThere.length))
      expect([...own.counts().values()].filter((count) => count !== 1)).toEqual([])
      expect(haveReported(receiver, worker)).toBe(false)
      await Promise.all([receiver.kill(), worker?.kill()])
    }
    console.log(`${kind} with its WAL cut: of 20 there are ${left.join(', ')} left, the first ones`)
    expect(left).toEqual([...left].sort((a, b) => a - b))
    expect([left[0], left.at(-1)]).toEqual([0, 20])
  })
})

const byNumber = ([one]: [number, number], [other]: [number, number]) => one - other
