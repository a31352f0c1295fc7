import { defineSuite, SHOPS } from './vitest.config.ts'

/** It installs and builds, which takes minutes of processor time. */
export default defineSuite(SHOPS, 3)
