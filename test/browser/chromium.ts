import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject } from 'vitest'

/** Debian's package has it here. */
export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** Why the browser cannot be started; in CI that is a failure, and not a reason to skip. */
export const withoutBrowser =
  existsSync(CHROMIUM) || process.env.CI ? undefined : 'Chromium, `apt-get install chromium`'

/** A page of the dashboard. Whatever it asks of another host is refused and noted. */
export interface Visit {
  readonly page: Page
  /** Addresses of other hosts that were asked for. */
  readonly outside: readonly string[]
  /** Errors of scripts, and what the Content-Security-Policy has refused. */
  readonly errors: readonly string[]
  readonly close: () => Promise<void>
}

export interface VisitOptions {
  readonly width?: number
  readonly height?: number
  readonly colorScheme?: 'light' | 'dark'
  readonly bypassCSP?: boolean
  readonly timezoneId?: string
  /** Another origin that may be asked. */
  readonly allowed?: string
}

/** Connects to the Chromium that all files share. Each visit has storage of its own. */
export function useChromium(): (url: string, options?: VisitOptions) => Promise<Visit> {
  let browser: Browser | undefined
  beforeAll(async () => {
    browser = await chromium.connect(inject('chromium'))
  })
  afterAll(() => browser?.close())
  return async (url, { width = 1200, height = 800, allowed, ...options } = {}) => {
    if (!browser) throw new Error('There is no browser.')
    const context = await browser.newContext({ viewport: { width, height }, ...options })
    const outside = await blockOthers(context, [new URL(url).origin, ...(allowed ? [allowed] : [])])
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error.stack ?? error)))
    page.on('console', (message) => {
      // The browser logs each answer that is an error by itself.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        errors.push(message.text())
    })
    await page.goto(url)
    return { page, outside, errors, close: () => context.close() }
  }
}

async function blockOthers(context: BrowserContext, origins: readonly string[]): Promise<readonly string[]> {
  const outside: string[] = []
  await context.route(
    (url) => !origins.includes(url.origin) && url.protocol !== 'data:',
    (route) => {
      outside.push(route.request().url())
      return route.abort()
    },
  )
  return outside
}

/** What must hold of each visit when it ends. */
export async function endVisit({ outside, errors, close }: Visit): Promise<void> {
  expect(outside).toEqual([])
  expect(errors).toEqual([])
  await close()
}
