import config from '/work/wt/tests/vitest.config.ts'
const t = (config as any).test
t.reporters = [...t.reporters, ['json', { outputFile: '/tmp/tests-after.json' }]]
t.root = '/work/wt/tests'
export default { ...config, root: '/work/wt/tests' }
