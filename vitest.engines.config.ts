import { defineSuite, ENGINES } from './vitest.config.ts'

export default defineSuite(ENGINES, 4)
