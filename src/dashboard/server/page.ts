import { createHash } from 'node:crypto'
import { ASSETS } from '../assets.ts'

/** The names change with the content, so that a browser may keep the files. */
const FILES = {
  script: { path: `/assets/${digest(ASSETS.script)}.js`, type: 'text/javascript; charset=utf-8', text: ASSETS.script },
  styles: { path: `/assets/${digest(ASSETS.styles)}.css`, type: 'text/css; charset=utf-8', text: ASSETS.styles },
}

/** The files that the page loads. */
export const PAGE_FILES: readonly { readonly path: string; readonly type: string; readonly text: string }[] =
  Object.values(FILES)

/** @param base where the dashboard is mounted, with a slash at its end. */
export function renderPage(base: string, token: string): string {
  const link = (path: string) => escapeHtml(base + path.slice(1))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="hooklayer-token" content="${escapeHtml(token)}">
<meta name="hooklayer-base" content="${escapeHtml(base)}">
<title>Hooklayer</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${link(FILES.styles.path)}">
<script type="module" src="${link(FILES.script.path)}"></script>
</head>
<body>
<div id="app"></div>
<noscript>The dashboard needs JavaScript.</noscript>
</body>
</html>
`
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
