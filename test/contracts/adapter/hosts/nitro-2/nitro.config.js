// biome-ignore lint/style/noDefaultExport: Nitro looks for it
export default { compatibilityDate: '2026-01-01' }
