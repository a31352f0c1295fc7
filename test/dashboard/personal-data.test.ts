import { expect, it } from 'vitest'
import { findPersonalData } from './personal-data.ts'

it.each(['memory', 'file', 'unmasked memory'] as const)(
  'no answer has the personal data of orders: %s',
  { timeout: 60_000 },
  async (place) => {
    expect(await findPersonalData(place, 40)).toEqual([])
  },
)
