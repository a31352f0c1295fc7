import { expect, it, vi } from 'vitest'
import { askForToken, startEmulatorForTest } from '../harness.ts'

function readLimit(headers: Headers): string {
  return ['limit', 'interval', 'remaining'].map((name) => headers.get(`x-ratelimit-${name}`)).join(' ')
}

it('no answer lacks the headers by default, and there is no limit', async () => {
  const { ask, emulator } = await startEmulatorForTest()
  for (let n = 0; n < 30; n++) expect((await ask('webhooks')).status).toBe(200)
  const answers = [
    await ask('webhooks'),
    await ask('webhooks', { method: 'PUT' }),
    await ask('webhooks/nobody'),
    await ask('nothing'),
    await ask('webhooks', { headers: { authorization: '' } }),
    await ask('webhooks', { headers: { accept: 'text/html' } }),
    await ask('webhooks', { method: 'POST', body: { data: 'x'.repeat(300_000) } }),
  ]
  expect(answers.map(({ status, headers }) => [status, readLimit(headers)])).toEqual(
    [200, 405, 404, 404, 401, 406, 413].map((status) => [status, '25 10 24']),
  )
  const refused = await fetch(`${emulator.url}/oauth/token`, { method: 'POST' })
  expect([refused.status, readLimit(refused.headers)]).toEqual([400, '30 60 29'])
})

it('one endpoint accepts 25 requests in 10 seconds, and every answer has the remaining number', async () => {
  const { ask } = await startEmulatorForTest({ rateLimit: true })
  for (let left = 24; left >= 0; left--) {
    const { status, headers } = await ask(left % 2 ? 'webhooks' : 'webhooks/nobody')
    expect([status, readLimit(headers)]).toEqual([left % 2 ? 200 : 404, `25 10 ${left}`])
  }
  const { status, headers, body } = await ask('webhooks')
  expect(status).toBe(429)
  expect(readLimit(headers)).toBe('25 10 0')
  expect(body).toEqual({ errors: { title: 'Too Many Requests', code: 'THROTTLED', status: 429 } })
  expect((await ask('events')).status).toBe(200)
  expect((await ask('webhooks', { method: 'POST', body: {} })).status).toBe(400)
})

it('the API accepts 100 requests in a minute, and the headers show the closest limit', async () => {
  const { ask } = await startEmulatorForTest({ rateLimit: true })
  const calls = ['webhooks', 'events', 'event_callbacks', 'organization'].flatMap((path) => new Array(25).fill(path))
  for (const path of calls.slice(0, 99)) await ask(path)
  expect(readLimit((await ask('organization')).headers)).toMatch(/ 0$/)
  const { status, headers } = await ask('webhooks', { method: 'DELETE' })
  expect([status, readLimit(headers)]).toEqual([429, '100 60 0'])
})

it('30 tokens are issued in a minute', async () => {
  const { emulator } = await startEmulatorForTest({ rateLimit: true })
  for (let n = 1; n < 30; n++) expect((await askForToken(emulator)).status).toBe(200)
  const { status, body } = await askForToken(emulator)
  expect(status).toBe(429)
  expect(body.errors).toEqual({ title: 'Too Many Requests', code: 'THROTTLED', status: 429 })
})

it('a limit ends with its interval', async () => {
  const { ask } = await startEmulatorForTest({ rateLimit: true })
  const now = vi.spyOn(performance, 'now').mockReturnValue(1000)
  for (let n = 0; n < 25; n++) await ask('webhooks')
  now.mockReturnValue(10_999)
  expect((await ask('webhooks')).status).toBe(429)
  now.mockReturnValue(11_000)
  expect(readLimit((await ask('webhooks')).headers)).toBe('25 10 24')
  now.mockRestore()
})
