import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createDelivery, TEST_SECRET } from 'hooklayer/testing'
import { expect, it, onTestFinished, vi } from 'vitest'
import { buildPackage } from '../cli/build.ts'
import { freePorts } from '../servers/process.ts'
import { parseCodeBlocks } from './code-blocks.ts'

const FOLDER = resolve('test/docs/.blocks/dashboard')

it('the dashboard of the Express example is behind its login', { timeout: 60_000 }, async () => {
  const built = await buildPackage()
  mkdirSync(join(FOLDER, 'node_modules'), { recursive: true })
  onTestFinished(() => rmSync(FOLDER, { recursive: true, force: true }))
  symlinkSync(built, join(FOLDER, 'node_modules/hooklayer'))
  const block = parseCodeBlocks('docs/dashboard.md').find(({ title }) => title === 'express.ts')
  const [port = 0] = await freePorts(1)
  writeFileSync(join(FOLDER, 'express.ts'), `${block?.code}\napp.listen(${port}, '127.0.0.1')\n`)
  const env = {
    ...process.env,
    CL_SECRET_ORDERS__PLACE: TEST_SECRET,
    SESSION_SECRET: 'of the session',
    ADMIN_PASSWORD: 'open',
  }
  const shop = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), 'express.ts'], { cwd: FOLDER, env })
  onTestFinished(() => void shop.kill('SIGKILL'))
  const url = `http://127.0.0.1:${port}`
  await vi.waitFor(() => fetch(`${url}/login`), { timeout: 20_000 })

  const stranger = await fetch(`${url}/hooklayer/api/deliveries`, { redirect: 'manual' })
  expect([stranger.status, stranger.headers.get('location')]).toEqual([302, '/login'])
  const { method, headers, body } = await createDelivery('orders.place', { resource: { number: '2001' } })
  expect((await fetch(`${url}/webhooks`, { method, headers, body })).status).toBe(202)
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const login = await fetch(`${url}/login`, {
    method: 'POST',
    headers: form,
    body: 'password=open',
    redirect: 'manual',
  })
  expect([login.status, login.headers.get('location')]).toEqual([302, '/hooklayer'])
  const cookie = String(login.headers.get('set-cookie')?.split(';')[0])
  expect(await (await fetch(`${url}/hooklayer`, { headers: { cookie } })).text()).toContain('hooklayer-token')
  await vi.waitFor(async () => {
    const list = await fetch(`${url}/hooklayer/api/deliveries`, { headers: { cookie } })
    expect(await list.json()).toMatchObject({ items: [{ outcome: 'handled' }, { outcome: 'queued' }] })
  }, 10_000)
})
