import { buildDashboardAssets } from '../../dashboard-assets.ts'

/** The script and the styles of the page. `npm run build` puts their text in the place of this module. */
export const ASSETS: { readonly script: string; readonly styles: string } = buildDashboardAssets()
