/** @type {import('next').NextConfig} */
// biome-ignore lint/style/noDefaultExport: Next looks for it
export default {
  // bullmq reads SQL files that are beside its code. hooklayer imports ioredis for Redis only, which is not installed here.
  serverExternalPackages: ['bullmq', 'hooklayer'],
}
