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
  const head = `<meta name="hooklayer-token" content="${escapeHtml(token)}">
<meta name="hooklayer-base" content="${escapeHtml(base)}">
<link rel="stylesheet" href="${link(FILES.styles.path)}">
<script type="module" src="${link(FILES.script.path)}"></script>`
  return render(head, '<div id="app"></div>\n<noscript>The dashboard needs JavaScript.</noscript>')
}

/** For somebody who opens an address and is refused. The styles are only for those who are let in. */
export function renderRefusal(sentence: string): string {
  return render('', `<main>\n<h1>Hooklayer</h1>\n<p>${escapeHtml(sentence)}</p>\n</main>`)
}

function render(head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Hooklayer</title>
<link rel="icon" href="data:,">
${head}
</head>
<body>
${body}
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
