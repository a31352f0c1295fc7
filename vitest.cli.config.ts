import { CLI, defineSuite } from './vitest.config.ts'

export default defineSuite(CLI, 4)
