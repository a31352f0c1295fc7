/**
 * Writes the type declarations of all entries into `dist`, once for ES modules and once for CommonJS. Their maps lead
 * an editor to `src`, and what entries share lies in chunks without a name. tsup would write no maps, and name chunks
 * after internal files.
 */
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import { listModules } from './entries.ts'

const bundle = await rollup({
  input: listModules(),
  external: (id) => !/^[./]/.test(id), // packages and modules of Node
  plugins: [dts({ tsconfig: 'tsconfig.json', sourcemap: true })],
  onwarn({ message }) {
    throw new Error(message) // Such as a public type that no entry exports.
  },
})
for (const [declaration, module] of [
  ['d.ts', 'js'],
  ['d.cts', 'cjs'],
]) {
  await bundle.write({
    dir: 'dist',
    format: 'es',
    entryFileNames: `[name].${declaration}`,
    chunkFileNames: `chunk-[hash].${declaration}`,
    sourcemap: true,
    plugins: declaration === 'd.cts' ? [{ name: 'sdk-as-module', renderChunk: importSdkAsModule }] : [],
    // The declarations of a user's own module name types of a receiver by that entry (TS2742 where it is not loaded).
    footer: ({ name }) => (name === 'index' ? `import './drivers.${module}';` : ''),
  })
}
await bundle.close()

/**
 * Lets CommonJS read the SDK's declarations for ES modules. In those for CommonJS an `export =` stands beside the other
 * exports, so that each of them is `any`. TypeScript knows the attribute since 5.3.
 */
function importSdkAsModule(code: string): { code: string; map: null } {
  const attribute = "with { 'resolution-mode': 'import' }"
  const changed = code
    .replaceAll(/^import (?:type )?(\{[^}]*\} from '@commercelayer\/sdk');$/gm, `import type $1 ${attribute};`)
    .replaceAll(/^import '@commercelayer\/sdk';$/gm, '') // A chunk has it already.
  if (/'@commercelayer\/sdk'(?! with )/.test(changed)) throw new Error('An import of the SDK stayed as it was.')
  return { code: changed, map: null } // Each line stays where it is.
}
