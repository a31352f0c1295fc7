import { expect, it } from 'vitest'
import { findPersonalData } from '../dashboard/personal-data.ts'

it('of 1,000 orders, no answer of the dashboard and no file of its recorder has personal data', async () => {
  expect(await findPersonalData('file', 1000)).toEqual([])
})
