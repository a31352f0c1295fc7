/** @type {import('next').NextConfig} */
// biome-ignore lint/style/noDefaultExport: Next looks for it
export default {
  serverExternalPackages: ['bullmq'], // it reads SQL files that are beside its code
}
