import { Miniflare } from 'miniflare'
import { testAdapter } from '../contracts/adapter/adapter.ts'
import { bundleHost } from '../contracts/adapter/bundle.ts'
import { ELSEWHERE } from '../contracts/adapter/host.ts'

/** Without `nodejs_compat`: there is nothing but WebCrypto. */
const OPTIONS = { modules: true, compatibilityDate: '2025-05-05', host: '127.0.0.1', port: 0 } as const

testAdapter(
  'workerd',
  async () => {
    const { text } = await bundleHost('worker.ts', { conditions: ['workerd', 'worker'] })
    const worker = new Miniflare({ ...OPTIONS, script: text })
    const { href } = await worker.ready
    return { url: href, close: () => worker.dispose() }
  },
  {
    ...ELSEWHERE,
    lingering: 'workerd closes the connection once it has answered',
    closing: 'workerd closes the connection once it has answered, and does not say so',
    'hanging up': 'workerd closes the connection once it has answered, and does not say so',
    'hang-ups': 'workerd ends the request, and with it whoever could be told',
    steadfastness: 'workerd ends the request, and with it the handler',
  },
)
