import { type BrowserServer, chromium } from 'playwright-core'
import type { TestProject } from 'vitest/node'
import { CHROMIUM, withoutBrowser } from './chromium.ts'

declare module 'vitest' {
  interface ProvidedContext {
    chromium: string
  }
}

let server: BrowserServer | undefined

/** One Chromium for all files, because starting it takes as long as some of them. */
export async function setup(project: TestProject): Promise<void> {
  if (withoutBrowser) return
  const args = ['--js-flags=--expose-gc', '--enable-precise-memory-info']
  const chromiumSandbox = process.getuid?.() !== 0
  server = await chromium.launchServer({ executablePath: CHROMIUM, args, chromiumSandbox, host: '127.0.0.1' })
  project.provide('chromium', server.wsEndpoint())
}

export async function teardown(): Promise<void> {
  await server?.close()
}
