/** A bundle for Workers holds nothing that only Node needs. */
const forWorkers = (config) => ({ ...config, conditions: ['workerd'] })

/** @type {import('size-limit').SizeLimitConfig} */
export default [
  {
    name: 'core, on Node',
    path: 'dist/index.js',
    import: '{ createReceiver }',
    limit: '22.7 kB',
    brotli: false,
    gzip: true,
  },
  {
    name: 'core and fetch bridge, for the edge',
    path: ['dist/index.js', 'dist/fetch.js'],
    import: { 'dist/index.js': '{ createReceiver }', 'dist/fetch.js': '{ createFetchHandler }' },
    modifyEsbuildConfig: forWorkers,
    limit: '21.8 kB',
    brotli: false,
    gzip: true,
  },
]
