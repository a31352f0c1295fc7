import { testInstalls } from './installs.ts'

await testInstalls('npm')
