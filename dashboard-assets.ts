import { buildSync, type Plugin } from 'esbuild'

const ROOT = new URL('./', import.meta.url).pathname

interface Assets {
  readonly script: string
  readonly styles: string
}

/** Bundles the sources of the dashboard's page, `src/dashboard/ui/`, into one script and one style sheet. */
export function buildDashboardAssets(): Assets {
  return { script: bundle('main.tsx'), styles: bundle('styles.css') }
}

function bundle(file: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [`${ROOT}src/dashboard/ui/${file}`],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    // `light-dark()` of the styles is what needs these.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    charset: 'utf8',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none', // The license of Preact is in LICENSES.txt.
  })
  return outputFiles.map(({ text }) => text).join('')
}

/** Puts the text of the page into its module when the package is built, so that no file is read at run time. */
export const dashboardAssets: Plugin = {
  name: 'dashboard-assets',
  setup(build) {
    build.onLoad({ filter: /\/src\/dashboard\/assets\.ts$/ }, () => ({
      contents: `export const ASSETS = ${JSON.stringify(buildDashboardAssets())}`,
    }))
  },
}
