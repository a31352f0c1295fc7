import type { KnipConfig } from 'knip'
import { listInternals, listModules } from './entries.ts'

const config: KnipConfig = {
  workspaces: {
    '.': {
      entry: [
        ...Object.values({ ...listModules(), ...listInternals() }),
        'examples/**/*.{js,ts}',
        'test/contracts/adapter/hosts/*.ts',
        'test/stores/sqlite-racer.ts',
        'test/inboxes/*/child.ts',
        'test/faults/shop/program.ts',
        'test/package/bundlers/shop.mjs',
        'test/package/installs/typed/*.ts',
        'test/faults/wrong-receivers/receivers/*.ts',
      ],
      ignore: ['test/contracts/adapter/hosts/next/**'],
      ignoreDependencies: ['miniflare', 'next'], // of fixtures
    },
    'test/bench': { entry: ['bench.ts', '*-{receiver,lister}.ts'] },
    'test/fixtures/*': { ignoreDependencies: [/./] },
  },
  ignoreBinaries: ['mount', 'openssl', 'pgrep', 'taskset', 'umount'],
}

export default config
