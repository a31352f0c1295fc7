import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { expect, it } from 'vitest'
import { rejection, thrownBy } from '../deliveries.ts'

const inbox = createMemoryInbox()
const { deadLetters } = inbox

it.each([
  [{ states: 'dead' }, 'inbox.list has no option `states`. Did you mean `state`?'],
  [{ state: 'waiting' }, 'inbox.list: `state` must be queued, running, failed, unhandled, dead, or a list of them.'],
  [{ state: [] }, 'inbox.list: `state` must be queued, running, failed, unhandled, dead, or a list of them.'],
  [{ search: '' }, 'inbox.list: `search` must be text.'],
  [{ topic: 7 }, 'inbox.list: `topic` must be text.'],
  [{ resource: 'orders/x' }, 'inbox.list: `resource` must be an object with the texts `type` and `id`.'],
  [{ olderThanMs: -1 }, 'inbox.list: `olderThanMs` must be a whole number over 0.'],
  [{ after: 'x' }, 'inbox.list: `after` must be a delivery of an earlier list.'],
  [{ signal: {} }, 'inbox.list: `signal` must be an AbortSignal.'],
  [null, 'inbox.list: the options must be an object.'],
])('a list says what is wrong with its query: %j', (query, message) => {
  expect(thrownBy(() => inbox.list(query as never))).toEqual(new TypeError(message))
})

it.each([
  [{ nosuch: 1 }, 'deadLetters.list has no option `nosuch`.'],
  [{ failedSince: '2026' }, 'deadLetters.list: `failedSince` must be a valid date.'],
  [7, 'deadLetters.list: the options must be an object.'],
])('a list of dead letters says what is wrong with its filter: %j', (filter, message) => {
  expect(thrownBy(() => deadLetters.list(filter as never))).toEqual(new TypeError(message))
})

it('retrying, discarding and reading dead letters say what is wrong', async () => {
  const empty = "the filter is empty. Write 'all' to select all dead letters."
  for (const name of ['retry', 'discard'] as const) {
    const message = `deadLetters.${name}: ${empty}`
    expect(await rejection(deadLetters[name]({} as never))).toEqual(new TypeError(message))
  }
  const message = 'deadLetters.get: `id` must be text.'
  expect(await rejection(deadLetters.get(7 as never))).toEqual(new TypeError(message))
})

it.each([
  [{ type: 'orders' }, 'inbox.erase: `resource` must be an object with the texts `type` and `id`.'],
  [{ type: 'orders', id: 'x', topic: 'y' }, 'inbox.erase has no option `topic`.'],
])('erasing says what is wrong with the resource: %j', async (resource, message) => {
  expect(await rejection(inbox.erase(resource as never))).toEqual(new TypeError(message))
})
