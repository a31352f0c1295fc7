/**
 * The entries of the package, named here and nowhere else: what users import, and the source file behind it. tsup,
 * vitest and the declarations are built from this list. `test/house/entries.test.ts` holds `package.json` and
 * `tsconfig.json` against it.
 */
export const ENTRIES: { readonly [subpath: string]: string } = {
  '.': 'src/index.ts',
  './drivers': 'src/drivers.ts',
  './config': 'src/config.ts',
  './express': 'src/adapters/express.ts',
  './koa': 'src/adapters/koa.ts',
  './next': 'src/adapters/next.ts',
  './fetch': 'src/adapters/fetch.ts',
  './lambda': 'src/adapters/lambda.ts',
  './fastify': 'src/adapters/fastify.ts',
  './node': 'src/adapters/node.ts',
  './nestjs': 'src/nestjs/index.ts',
  './opentelemetry': 'src/telemetry/opentelemetry.ts',
  './recorder': 'src/recorder/recorder.ts',
  './responder': 'src/responder/index.ts',
  './testing': 'src/testing/index.ts',
  './testing/contracts': 'src/contracts/index.ts',
  './emulator': 'src/emulator/index.ts',
  './dashboard': 'src/dashboard/index.ts',
  './management': 'src/management/index.ts',
  './stores/memory': 'src/stores/memory.ts',
  './stores/sqlite': 'src/stores/sqlite.ts',
  './stores/redis': 'src/stores/redis.ts',
  './stores/postgres': 'src/stores/postgres.ts',
  './inboxes/memory': 'src/inboxes/memory.ts',
  './inboxes/sqlite': 'src/inboxes/sqlite.ts',
  './inboxes/bullmq': 'src/inboxes/bullmq.ts',
}

interface ExtraFile {
  /** Its file in `dist`, without the extension. */
  readonly file: string
  readonly source: string
}

/**
 * Files that replace an entry where a bundler sets a condition. Next sets `edge-light` for its edge runtime, which
 * lacks Node's modules.
 */
export const CONDITIONS: { readonly [subpath: string]: { readonly [condition: string]: ExtraFile } } = {
  './next': { 'edge-light': { file: 'next-edge', source: 'src/adapters/next-route.ts' } },
}

/**
 * The module that knows the platform. `imports` of package.json gives bundles another file of it where a condition says
 * that the platform is Workers (`workerd`) or an edge runtime (`edge-light`). What only Node needs is left out then.
 */
export const PLATFORM = {
  specifier: '#platform',
  usual: { file: 'platform', source: 'src/core/platform.ts' },
  edge: { file: 'platform-edge', source: 'src/core/web-platform.ts' },
  edgeConditions: ['workerd', 'edge-light'],
} as const satisfies { usual: ExtraFile; edge: ExtraFile; [key: string]: unknown }

/** The thread in which a recorder writes its file. `src/recorder/file/start-thread.ts` finds it beside itself. */
export const RECORDER_THREAD: ExtraFile = { file: 'recorder-thread', source: 'src/recorder/file/thread.ts' }

/**
 * The programs that the package installs. They are built apart: for Node only, with their libraries bundled, and with
 * the entries imported by their public names.
 */
export const PROGRAMS: { readonly [command: string]: ExtraFile } = {
  hooklayer: { file: 'cli', source: 'src/cli/main.ts' },
  'hooklayer-emulator': { file: 'emulator-cli', source: 'src/cli/emulator-program.ts' },
}

/** The name of an entry's file in `dist`, without the extension. */
export function toFileName(subpath: string): string {
  return subpath === '.' ? 'index' : subpath.slice('./'.length).replaceAll('/', '-')
}

/** What users write in an import: `./stores/redis` is `hooklayer/stores/redis`. */
export function toSpecifier(subpath: string): string {
  return `hooklayer${subpath.slice('.'.length)}`
}

/** The files of `dist` that can be imported, by their name without the extension. */
export function listModules(): Record<string, string> {
  const entries = Object.entries(ENTRIES).map(([subpath, source]) => [toFileName(subpath), source])
  const conditional = Object.values(CONDITIONS).flatMap((conditions) => Object.values(conditions))
  return Object.fromEntries([...entries, ...conditional.map(({ file, source }) => [file, source])])
}

/** The files of `dist` that are run, by their name without the extension. */
export function listPrograms(): Record<string, string> {
  return Object.fromEntries(Object.values(PROGRAMS).map(({ file, source }) => [file, source]))
}

/** The files of `dist` that only the package itself loads, by their name without the extension. */
export function listInternals(): Record<string, string> {
  return Object.fromEntries([PLATFORM.usual, PLATFORM.edge, RECORDER_THREAD].map(({ file, source }) => [file, source]))
}
