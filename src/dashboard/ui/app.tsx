import { useEffect, useLayoutEffect, useState } from 'preact/hooks'
import type { Setup } from '../api.ts'
import { AnswersPage } from './answers/answers-page.tsx'
import { get } from './api-client.ts'
import { DeliveriesPage } from './deliveries/deliveries-page.tsx'
import { HealthPage } from './health-page.tsx'
import { InboxPage } from './inbox/inbox-page.tsx'
import { JobBar, useJobs } from './jobs.tsx'
import { isTyping } from './keys.ts'
import type { Live } from './live.ts'
import { Dialog } from './parts/dialog.tsx'
import { ProblemNotice } from './parts/notice.tsx'
import { go, PAGES, type PageName, type Route, toHash, useRoute } from './route.ts'
import { readTheme, setTheme, THEMES } from './theme.ts'
import { TriggerPage } from './trigger-page.tsx'
import { useLoaded } from './use-loaded.ts'
import { WebhooksPage } from './webhooks-page.tsx'

const TITLES: Readonly<Record<PageName, string>> = {
  deliveries: 'Deliveries',
  inbox: 'Inbox',
  webhooks: 'Webhooks',
  trigger: 'Trigger',
  answers: 'Answers',
  health: 'Health',
}

export function App({ live }: { readonly live: Live }) {
  const route = useRoute()
  const { value: setup, problem, reload } = useLoaded('setup', (signal) => get<Setup>('api/setup', {}, signal))
  const jobs = useJobs(live)
  const [isHelpOpen, setHelpOpen] = useState(false)
  const pages = setup ? listPages(setup) : []
  useShortcuts(pages, () => setHelpOpen(true))
  useEffect(() => {
    document.title = `${TITLES[route.page]} · Hooklayer`
  }, [route.page])
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it moves the focus, and the fragment is the route. */}
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          document.getElementById('main')?.focus()
        }}
      >
        Skip to the content
      </a>
      <header class="top">
        <span class="name">Hooklayer</span>
        <nav aria-label="Pages">
          {pages.map((page) => (
            <a key={page} href={toHash({ page })} aria-current={page === route.page ? 'page' : undefined}>
              {TITLES[page]}
            </a>
          ))}
        </nav>
        <LiveMark live={live} />
        <ThemeChoice />
        <button type="button" class="bare" aria-label="Help: keys" title="Keys (?)" onClick={() => setHelpOpen(true)}>
          ?
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        {problem && !setup && <ProblemNotice text={problem} onRetry={reload} />}
        {setup && <Page route={route} setup={setup} live={live} jobs={jobs} />}
      </main>
      <JobBar {...jobs} />
      {isHelpOpen && <Help pages={pages} onClose={() => setHelpOpen(false)} />}
    </>
  )
}

interface PageProps {
  readonly route: Route
  readonly setup: Setup
  readonly live: Live
  readonly jobs: ReturnType<typeof useJobs>
}

function Page(props: PageProps) {
  switch (props.route.page) {
    case 'inbox':
      return <InboxPage {...props} />
    case 'webhooks':
      return <WebhooksPage {...props} />
    case 'trigger':
      return <TriggerPage {...props} />
    case 'answers':
      return <AnswersPage {...props} />
    case 'health':
      return <HealthPage {...props} />
    case 'deliveries':
      return <DeliveriesPage {...props} />
  }
}

function listPages(setup: Setup): readonly PageName[] {
  const hidden: Readonly<Partial<Record<PageName, boolean>>> = {
    inbox: !setup.hasInbox,
    webhooks: !setup.hasWebhooks,
    trigger: !setup.isDevelopment,
    answers: !setup.isDevelopment,
  }
  return PAGES.filter((page) => !hidden[page])
}

/** `/` searches, `?` helps, a digit goes to a page. A key works as soon as what it leads to is shown. */
function useShortcuts(pages: readonly PageName[], help: () => void): void {
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event)) return
      const page = pages[Number(event.key) - 1]
      const search = document.getElementById('search')
      if (event.key === '?') help()
      else if (event.key === '/' && search) search.focus()
      else if (page) go({ page })
      else return
      event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  })
}

const LIVE_WORDS = { connecting: 'Connecting', live: 'Live', lost: 'Reconnecting' } as const

function LiveMark({ live }: { readonly live: Live }) {
  const [state, setState] = useState(live.state())
  useEffect(() => live.onState(setState), [live])
  return (
    <span class={`live ${state}`} role="status">
      {LIVE_WORDS[state]}
    </span>
  )
}

const THEME_WORDS = { auto: 'Auto', light: 'Light', dark: 'Dark' } as const

function ThemeChoice() {
  const [theme, setChosen] = useState(readTheme)
  return (
    <select
      class="bare"
      aria-label="Colors"
      value={theme}
      onChange={({ currentTarget }) => {
        const next = THEMES.find((one) => one === currentTarget.value) ?? 'auto'
        setTheme(next)
        setChosen(next)
      }}
    >
      {THEMES.map((one) => (
        <option key={one} value={one}>
          {THEME_WORDS[one]}
        </option>
      ))}
    </select>
  )
}

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'Search'],
  ['j, ↓', 'Next row'],
  ['k, ↑', 'Previous row'],
  ['Enter', 'Open'],
  ['Escape', 'Close'],
  ['x', 'Select a dead letter'],
  ['?', 'These keys'],
]

function Help({ pages, onClose }: { readonly pages: readonly PageName[]; readonly onClose: () => void }) {
  const toPages = pages.map((page, i) => [String(i + 1), TITLES[page]] as const)
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="keys">
        {[...KEYS, ...toPages].map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
