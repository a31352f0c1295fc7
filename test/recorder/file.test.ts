import { fork, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createRecorder, type DeliveryRecord } from 'hooklayer/recorder'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { prepare } from '../../src/sqlite/database.ts'
import { buildPackage } from '../cli/build.ts'
import { CART, delivery, recordingLogger } from '../deliveries.ts'
import { connect } from '../sqlite/folder.ts'
import { createPath, createShop, placed } from './places.ts'

const eventually = (check: () => unknown) => vi.waitFor(check, 20_000)
const PROGRAM = new URL('./writing-program.mjs', import.meta.url).pathname

let built: string
beforeAll(async () => {
  built = await buildPackage()
}, 120_000)

/** A process with the built package that records deliveries in a file. */
function startWriting(file: string, { format = 'js', count = 1e9, pauseMs = 5 } = {}) {
  const child = fork(PROGRAM, [join(built, 'dist'), file, format, String(count), String(pauseMs)], { stdio: 'pipe' })
  let output = ''
  child.stdout?.on('data', (data) => {
    output += data
  })
  child.stderr?.on('data', (data) => {
    output += data
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, ended, output: () => output }
}

describe('a file of records', () => {
  it.each(['js', 'cjs'])(
    'is written by a thread of the built package (%s), and all of it before the end',
    async (format) => {
      const file = createPath()
      const { ended, output } = startWriting(file, { format, count: 200, pauseMs: 0 })
      expect(await ended).toBe(0)
      expect(output()).toContain('threads: 1 ')
      const recorder = createRecorder({ file })
      onTestFinished(() => recorder.close())
      expect((await recorder.list({ limit: 500 })).records).toHaveLength(200)
      expect((await recorder.list({ search: 'written 7' })).records).toHaveLength(0)
      expect((await recorder.list({ search: 'written7' })).records).toHaveLength(1)
      expect(await recorder.get('000000000001')).toMatchObject({ isMasked: true, body: expect.any(Uint8Array) })
    },
  )

  it('opens again after the process was killed while it wrote', async () => {
    const file = createPath()
    for (let round = 0; round < 3; round++) {
      const { child, ended } = startWriting(file, { pauseMs: 1 })
      await eventually(() => expect(count(file)).toBeGreaterThan(20 * (round + 1)))
      child.kill('SIGKILL')
      await ended
    }
    const { logger, messages } = recordingLogger()
    const recorder = createRecorder({ file, logger })
    onTestFinished(() => recorder.close())
    const { records } = await recorder.list({ limit: 500 })
    expect(records.length).toBeGreaterThan(60)
    for (const { id } of records) expect((await recorder.get(id))?.body?.byteLength).toBeGreaterThan(10)
    expect(messages()).toEqual([])
  }, 60_000)

  it('is written by several processes, and read by one that is told of what they write', async () => {
    const file = createPath()
    const recorder = createRecorder({ file })
    onTestFinished(() => recorder.close())
    const told: DeliveryRecord[] = []
    recorder.subscribe((records) => told.push(...records))
    const writers = [startWriting(file, { count: 150 }), startWriting(file, { count: 150 })]
    expect(await Promise.all(writers.map(({ ended }) => ended))).toEqual([0, 0])
    await eventually(() => expect(told).toHaveLength(300))
    expect(new Set(told.map(({ id }) => id)).size).toBe(300)
    const { records, missed } = await recorder.statistics({ since: new Date(), spanMs: 1000 })
    expect({ records, missed }).toEqual({ records: 300, missed: 0 })
  }, 60_000)

  it('can be read by its owner only, and so can its key', async () => {
    const file = createPath()
    const { recorder, receiver } = createShop({ file })
    await receiver.receive(placed('1'))
    await recorder.list()
    const modes = ['', '-wal', '-shm', '.key'].map((suffix) => (statSync(`${file}${suffix}`).mode & 0o777).toString(8))
    expect(modes).toEqual(['600', '600', '600', '600'])
    expect(readFileSync(file).includes(readFileSync(`${file}.key`, 'utf8').trim())).toBe(false)
  })

  it('keeps its key', async () => {
    const file = createPath()
    const { recorder, receiver } = createShop({ file })
    await receiver.receive(delivery('orders.place', CART))
    await recorder.close()
    const { recorder: again } = createShop({ file })
    expect((await again.list({ search: 'ada@example.com' })).records).toHaveLength(1)
  })

  it('that is damaged is left as it is: the receiver goes on, one warning, and `list` says why', async () => {
    const file = createPath()
    writeFileSync(file, `${'This is no database. '.repeat(500)}`)
    const before = readFileSync(file)
    const { recorder, receiver, messages } = createShop({ file })
    receiver.on('orders.place', () => {})
    for (let i = 0; i < 3; i++) expect((await receiver.receive(placed('1'))).status).toBe(200)
    await expect(recorder.list()).rejects.toThrow(/cannot be used/)
    await expect(recorder.get('000000000001')).rejects.toThrow(/cannot be used/)
    expect(messages().filter((message) => /recorder cannot use/i.test(message))).toHaveLength(1)
    expect(readFileSync(file)).toEqual(before)
    rmSync(file)
    await receiver.receive(placed('2'))
    expect((await recorder.list()).records).toMatchObject([{ resource: { number: '2' } }])
    expect((await recorder.statistics({ since: new Date(), spanMs: 1000 })).missed).toBe(3)
  })

  it('in a folder that does not exist is tried again', async () => {
    const file = join(dirname(createPath()), 'later', 'records.db')
    const { recorder, receiver, messages } = createShop({ file })
    await receiver.receive(placed('1'))
    await expect(recorder.list()).rejects.toThrow(/Its folder must exist/)
    mkdirSync(dirname(file))
    await receiver.receive(placed('2'))
    expect((await recorder.list()).records).toMatchObject([{ resource: { number: '2' } }])
    expect(messages().filter((message) => /recorder cannot use/i.test(message))).toHaveLength(1)
  })

  it('on a full disk is no concern of the deliveries, and `list` says so until it was written again', async () => {
    const file = createPath()
    const { recorder, receiver, messages } = createShop({ file })
    receiver.on('orders.place', () => {})
    await receiver.receive(placed('1'))
    await recorder.list()
    const database = connect(file)
    database.exec(
      "CREATE TRIGGER full BEFORE INSERT ON hooklayer_records BEGIN SELECT RAISE(ABORT, 'disk is full'); END",
    )
    expect((await receiver.receive(placed('2'))).status).toBe(200)
    await expect(recorder.list()).rejects.toThrow(/cannot write to .*disk is full/)
    expect((await receiver.receive(placed('3'))).status).toBe(200)
    await expect(recorder.list()).rejects.toThrow(/disk is full/)
    database.exec('DROP TRIGGER full')
    await receiver.receive(placed('4'))
    const { records } = await recorder.list()
    expect(records.map(({ resource }) => resource?.number)).toEqual(['4', '1'])
    expect((await recorder.statistics({ since: new Date(), spanMs: 1000 })).missed).toBe(2)
    expect(messages().filter((message) => /recorder cannot use/i.test(message))).toHaveLength(1)
  })

  it('waits for another process that has locked it, and no answer waits for that', async () => {
    const file = createPath()
    const { recorder, receiver } = createShop({ file })
    await receiver.receive(placed('1'))
    await recorder.list()
    const database = connect(file)
    database.exec('BEGIN IMMEDIATE')
    await receiver.receive(placed('2'))
    expect((await recorder.list()).records).toHaveLength(1)
    database.exec('COMMIT')
    await eventually(async () => expect((await recorder.list()).records).toHaveLength(2))
  })

  it('counts what comes faster than it can be written', async () => {
    const file = createPath()
    const { recorder, receiver } = createShop({ file })
    for (let i = 0; i < 2500; i++) await receiver.receive(placed(String(i % 10)))
    await eventually(async () => {
      const { records, missed } = await recorder.statistics({ since: new Date(), spanMs: 1000 })
      expect(records + missed).toBe(2500)
    })
    await recorder.close()
    const missed = prepare(connect(file), 'SELECT missed FROM hooklayer_records_missed').get()
    expect(missed).toMatchObject({ missed: expect.any(Number) })
  }, 60_000)

  it('has nothing of what was erased, once it is closed', async () => {
    const file = createPath()
    const { recorder, receiver } = createShop({ file })
    await receiver.receive(placed('4711', { id: 'ErasedIdXyz' }))
    await receiver.receive(placed('4712'))
    expect(await recorder.erase({ type: 'orders', id: 'ErasedIdXyz' })).toBe(1)
    await recorder.close()
    const content = readFileSync(file).toString('latin1')
    expect(content).not.toContain('ErasedIdXyz')
    expect(content).toContain('order4712')
    expect(existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0).toBe(false)
  })

  it('that only its owner may write is no concern of the deliveries of others', async () => {
    if (process.getuid?.() === 0) return // Root may write anything.
    const file = createPath()
    const { recorder, receiver } = createShop({ file })
    await receiver.receive(placed('1'))
    await recorder.close()
    chmodSync(file, 0o400)
    const { recorder: other, receiver: otherReceiver } = createShop({ file })
    otherReceiver.on('orders.place', () => {})
    expect((await otherReceiver.receive(placed('2'))).status).toBe(200)
    await expect(other.list()).rejects.toThrow(/cannot/)
  })

  it('closed is closed, and says so', async () => {
    const { recorder, receiver } = createShop({ file: createPath() })
    await receiver.receive(placed('1'))
    await Promise.all([recorder.close(), recorder.close()])
    await expect(recorder.list()).rejects.toThrow('The recorder is closed.')
    expect((await receiver.receive(placed('2'))).status).toBe(200)
  })
})

/** As another process sees it. */
function count(file: string): number {
  if (!existsSync(file)) return 0
  const script = `
    const Database = require('libsql')
    const database = new Database(${JSON.stringify(file)})
    database.exec('PRAGMA busy_timeout = 5000')
    try { console.log(database.prepare('SELECT count(*) AS n FROM hooklayer_records').get().n) } catch { console.log(0) }`
  return Number(spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout)
}
