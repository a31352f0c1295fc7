import { writeFileSync } from 'node:fs'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createRecorder } from 'hooklayer/recorder'
import { expect, it, onTestFinished } from 'vitest'
import { recordingLogger } from '../deliveries.ts'
import { createFolder } from '../inboxes/sqlite/place.ts'
import { startDashboard } from './harness.ts'

it('a recorder whose file is damaged is a sentence, and the inbox is shown as before', async () => {
  const { file, remove } = createFolder()
  writeFileSync(file, `This is no database, but of zoe@example.com. ${'x'.repeat(10_000)}`)
  const recorder = createRecorder({ file, logger: recordingLogger().logger })
  onTestFinished(async () => {
    await recorder.close().catch(() => {})
    remove()
  })
  const page = await startDashboard({ recorder, inbox: createMemoryInbox() })
  for (const path of ['api/deliveries', 'api/deliveries/some-id', 'api/deliveries/some-id/body', 'api/health']) {
    const { status, json, text } = await page.get(path)
    expect([path, status, json]).toEqual([
      path,
      503,
      { error: 'The recorder cannot be read. The log of the server says why.' },
    ])
    expect(text).not.toContain(file)
  }
  expect(page.logged()).toContain('could not use the recorder')
  expect(page.logged()).not.toContain('zoe')
  expect((await page.get('api/setup')).json).toMatchObject({ hasRecorder: true })
  expect((await page.get('api/inbox')).status).toBe(200)
})
