import { render } from 'preact'
import { App } from './app.tsx'
import { createLive } from './live.ts'
import { readTheme, setTheme } from './theme.ts'

setTheme(readTheme())
const root = document.getElementById('app')
if (root) render(<App live={createLive()} />, root)
