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
    // The declarations of a user's own module name types of a receiver by that entry (TS2742 where it is not loaded).
    footer: ({ name }) => (name === 'index' ? `import './drivers.${module}';` : ''),
  })
}
await bundle.close()
