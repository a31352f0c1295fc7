/** @type {import('next').NextConfig} */
// biome-ignore lint/style/noDefaultExport: Next looks for it
export default {
  // bullmq reads SQL files beside its code. hooklayer imports ioredis only for Redis, which is not installed here.
  serverExternalPackages: ['bullmq', 'hooklayer'],
}
