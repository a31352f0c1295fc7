import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { endVisit, useChromium, type Visit } from './chromium.ts'
import { openShop, type Shop } from './shop.ts'

/** What the tests of a suite look at. It is there while they run, and not before. */
export interface Dashboard {
  /** One for all tests of the suite. */
  readonly shop: Shop
  /** A page of its own for each test. */
  readonly page: Page
  /** Opens one more. */
  readonly visit: ReturnType<typeof useChromium>
}

/** Opens a shop for the suite, and its dashboard for each test. What must hold of a visit is checked after each. */
export function useDashboard(hash = ''): Dashboard {
  const visit = useChromium()
  let shop: Shop
  let visited: Visit
  beforeAll(async () => {
    shop = await openShop()
  })
  afterAll(() => shop?.close())
  beforeEach(async () => {
    visited = await visit(`${shop.url}${hash}`)
    await visited.page.getByText('Live', { exact: true }).waitFor()
    await visited.page.getByRole('navigation').getByRole('link').first().waitFor()
  })
  afterEach(() => endVisit(visited))
  return {
    visit,
    get shop() {
      return shop
    },
    get page() {
      return visited.page
    },
  }
}
