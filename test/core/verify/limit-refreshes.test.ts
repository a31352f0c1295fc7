import { expect, it, vi } from 'vitest'
import { limitRefreshes } from '../../../src/core/verify/limit-refreshes.ts'
import { createSecrets } from '../../../src/core/verify/secrets.ts'
import { SECRET } from '../../deliveries.ts'

it('bodies that wait for a refresh do not have more bytes together than allowed', async () => {
  let answer = () => {}
  const read = vi.fn(() => new Promise<string>((resolve) => (answer = () => resolve(SECRET))))
  const limited = limitRefreshes(createSecrets(Object.assign(() => undefined, { refresh: read })), 100)
  const waiting = limited.refresh('orders.place', undefined, 60)
  expect(waiting).toBeInstanceOf(Promise)
  expect(limited.refresh('orders.place', undefined, 60)).toEqual([])
  const small = limited.refresh('orders.place', undefined, 40)
  answer()
  expect(await Promise.all([waiting, small])).toMatchObject([[{ text: SECRET }], [{ text: SECRET }]])
  expect(limited.refresh('orders.place', undefined, 100)).toBeInstanceOf(Promise)
  answer()
})

it('a refresh that does not wait is not limited', () => {
  const limited = limitRefreshes(createSecrets(SECRET), 1)
  expect(limited.refresh('orders.place', undefined, 1000)).toEqual([])
})
