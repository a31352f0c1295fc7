import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { type Connections, LONG_MS, reserveKey, reserveOptions } from './reservations.ts'

const ODD = [
  '',
  ' ',
  '"',
  "'; drop table x; --",
  '\\',
  '{}',
  '}{',
  '{a}b',
  '%7B',
  '$1',
  '?',
  ':',
  '\n\t',
  '__proto__',
  '7',
  'é',
  'e\u0301',
  '🛒',
  'ключ',
  '鍵',
]

export function testText(connection: Connections): void {
  it('accepts any text for a key, a name and a resource, and confuses none', async () => {
    const run = randomUUID()
    const texts = [...ODD, 'k'.repeat(1000), `${'k'.repeat(999)}l`]
    const version = (text: string) => ({ resource: `${text}/${run}`, updatedAt: '2026-01-01T00:00:00.000Z' })
    const tokens = new Map<string, string>()
    for (const text of texts) {
      const { token } = await reserveKey(connection(0), `${text}${run}`, reserveOptions(LONG_MS, version(text)))
      tokens.set(text, token)
    }
    for (const [text, token] of tokens) {
      expect(await connection(1).release(`${text}${run}`, token, { done: texts, retentionMs: LONG_MS })).toBe(true)
      const again = await reserveKey(connection(2), `${text}${run}`, reserveOptions(LONG_MS, version(text)))
      expect([...again.done].sort()).toEqual([...texts].sort())
      const completion = { retentionMs: LONG_MS, version: version(text), done: texts }
      expect(await connection(3).complete(`${text}${run}`, again.token, completion)).toBe(true)
      const request = { ...reserveOptions(LONG_MS, version(text)), names: texts }
      expect(await connection(4).reserve(`${text}${run}`, request)).toEqual({ state: 'completed' })
      const older = { ...version(text), updatedAt: '2025-01-01T00:00:00.000Z' }
      expect((await reserveKey(connection(0), randomUUID(), reserveOptions(LONG_MS, older))).stale).toBe(true)
    }
  })
}
