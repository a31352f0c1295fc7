import type { KnipConfig } from 'knip'
import { listModules } from './entries.ts'

const config: KnipConfig = {
  entry: [
    ...Object.values(listModules()),
    'examples/**/*.{js,ts}',
    'test/contracts/adapter/hosts/*.ts',
    'test/bench/*-{receiver,lister}.ts',
    'test/stores/sqlite-racer.ts',
    'test/inboxes/*/child.ts',
    'test/faults/shop/program.ts',
    'test/faults/wrong-receivers/receivers/*.ts',
  ],
  ignore: ['test/contracts/adapter/hosts/next/**'],
  ignoreDependencies: ['bun', 'deno'],
  ignoreBinaries: ['mount', 'pgrep', 'taskset', 'umount'],
}

export default config
