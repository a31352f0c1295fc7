export { createApiHandler } from './next-api.ts'
export { createRouteHandler } from './next-route.ts'
