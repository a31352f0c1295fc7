import { testAdapter } from '../contracts/adapter/adapter.ts'
import { bundleHost } from '../contracts/adapter/bundle.ts'
import { OTHER_PROCESS } from '../contracts/adapter/host.ts'
import { installFixture } from '../fixtures/install.ts'
import { createMiniflare } from '../fixtures/miniflare.ts'
import { packPackage } from '../package/pack.ts'

const missing = await installFixture('workerd')
const packed = await packPackage()

/** Without `nodejs_compat`: there is nothing but WebCrypto. */
const OPTIONS = { modules: true, compatibilityDate: '2025-05-05', host: '127.0.0.1', port: 0 } as const

testAdapter(
  'workerd',
  async () => {
    const { text } = await bundleHost('worker.ts', { conditions: ['workerd', 'worker'], packed })
    const worker = createMiniflare({ ...OPTIONS, script: text })
    const { href } = await worker.ready
    return { url: href, close: () => worker.dispose() }
  },
  {
    missing,
    limitations: {
      ...OTHER_PROCESS,
      'strict headers': 'workerd takes what comes; Cloudflare has its own front',
      draining: 'workerd closes the connection once it has answered',
      closing: 'workerd closes the connection once it has answered, and does not say so',
      'closing after a timeout': 'workerd closes the connection once it has answered, and does not say so',
      disconnects: 'workerd ends the request, and with it whoever could be told',
      'running on': 'workerd ends the request, and with it the handler',
    },
  },
)
