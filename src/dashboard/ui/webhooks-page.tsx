import { useState } from 'preact/hooks'
import type { CallPage, PlanSummary, Setup, WebhookItem, Webhooks } from '../api.ts'
import { get } from './api-client.ts'
import { formatNumberOf, formatShare } from './format.ts'
import { HolderList } from './holders.tsx'
import { Circuit } from './parts/circuit.tsx'
import { Dialog } from './parts/dialog.tsx'
import { Empty, ProblemNotice } from './parts/notice.tsx'
import { Plain, Sentence, Time } from './parts/text.tsx'
import { go, type Route } from './route.ts'
import { useChange } from './use-change.ts'
import { useLoaded } from './use-loaded.ts'

/** Commerce Layer opens the circuit after so many failures in a row. */
const CIRCUIT = 30

export function WebhooksPage({ setup, route }: { readonly setup: Setup; readonly route: Route }) {
  const { value, problem, isLoading, reload } = useLoaded('webhooks', (signal) => {
    return setup.hasWebhooks ? get<Webhooks>('api/webhooks', {}, signal) : Promise.resolve({ items: [] })
  })
  const [turn, setTurn] = useState(0)
  if (!setup.hasWebhooks) {
    return (
      <Empty title="The webhooks are not known here" code={MANAGEMENT_CODE}>
        <p>Give the dashboard access to the API of Commerce Layer:</p>
      </Empty>
    )
  }
  return (
    <div class="page">
      <header class="page-head">
        <h1>Webhooks</h1>
        <button
          type="button"
          disabled={isLoading}
          onClick={() => {
            reload()
            setTurn(turn + 1)
          }}
        >
          Refresh
        </button>
      </header>
      {problem && <ProblemNotice text={problem} onRetry={reload} />}
      {value?.items.length === 0 && (
        <Empty title="There is no webhook" code="npx hooklayer webhooks apply">
          <p>Create those that the handlers need:</p>
        </Empty>
      )}
      <ul class="cards">
        {value?.items.map((webhook) => (
          <Webhook key={webhook.id} webhook={webhook} isOpen={route.id === webhook.id} onReset={reload} />
        ))}
      </ul>
      {(value || problem) && <HolderList key={turn} setup={setup} />}
      {setup.hasPlan && <Plan />}
    </div>
  )
}

const MANAGEMENT_CODE = `import { createManagement } from 'hooklayer/management'

createDashboard({ recorder, management: createManagement(), authorize })`

interface WebhookProps {
  readonly webhook: WebhookItem
  readonly isOpen: boolean
  readonly onReset: () => void
}

function Webhook({ webhook, isOpen, onReset }: WebhookProps) {
  const { id, topic, callbackUrl, circuit, disabled, lastHour } = webhook
  const [asks, setAsks] = useState(false)
  const { problem, send } = useChange<WebhookItem>()
  return (
    <li class="card">
      <h2>
        <Plain text={topic} />
      </h2>
      <p class="url">
        <Plain text={callbackUrl} />
      </p>
      <Circuit
        isOpen={circuit === 'open'}
        failuresLeft={webhook.failuresLeft}
        most={CIRCUIT}
        whenOpen="nothing is sent."
      />
      <p class="facts">
        {disabled && <span class="mark ignored">Disabled</span>}
        <span>
          Last hour: {formatNumberOf(lastHour.calls, 'call')}
          {lastHour.calls > 0 && `, ${formatShare(lastHour.share)} failed`}
        </span>
      </p>
      <p class="actions">
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={() => go({ page: 'webhooks', id: isOpen ? undefined : id }, { replace: true })}
        >
          Last calls
        </button>
        {(circuit === 'open' || webhook.failures > 0) && (
          <button type="button" onClick={() => setAsks(true)}>
            Reset circuit
          </button>
        )}
      </p>
      {problem && <ProblemNotice text={problem} />}
      {isOpen && <Calls id={id} />}
      {asks && (
        <Dialog
          title="Reset the circuit?"
          onClose={() => setAsks(false)}
          confirm={{
            label: 'Reset',
            act: () => void send(`api/webhooks/${encodeURIComponent(id)}/reset`, undefined, onReset),
          }}
        >
          <p>
            Commerce Layer sends to this webhook again, and counts its failures from 0. Mend the cause first. What was
            not sent meanwhile can be recovered with <code>npx hooklayer recover</code>.
          </p>
        </Dialog>
      )}
    </li>
  )
}

function Calls({ id }: { readonly id: string }) {
  const { value, problem, isLoading, reload } = useLoaded(id, (signal) => {
    return get<CallPage>(`api/webhooks/${encodeURIComponent(id)}/calls`, {}, signal)
  })
  if (problem) return <ProblemNotice text={problem} onRetry={reload} />
  if (!value) return <p role="status">{isLoading && 'Loading…'}</p>
  if (value.items.length === 0) return <p class="quiet">This webhook was not called yet.</p>
  return (
    <table class="calls">
      <thead>
        <tr>
          <th>Time</th>
          <th class="number">Status</th>
          <th>Reason</th>
        </tr>
      </thead>
      <tbody>
        {value.items.map(({ id: callId, createdAt, status, reason }) => (
          <tr key={callId}>
            <td>
              <Time at={createdAt} />
            </td>
            <td class={`number mark ${status !== undefined && status < 300 ? 'handled' : 'failed'}`}>
              {status ?? 'none'}
            </td>
            <td>{reason && <Plain text={reason} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Plan() {
  const { value, problem, reload } = useLoaded('plan', (signal) => get<PlanSummary>('api/plan', {}, signal))
  return (
    <section>
      <h2>Plan against the handlers</h2>
      {problem && <ProblemNotice text={problem} onRetry={reload} />}
      {value && value.steps.length === 0 && (
        <p class="notice done">
          The webhooks that call <Plain text={value.callbackUrl} /> are what the handlers need.
        </p>
      )}
      {value && value.steps.length > 0 && (
        <>
          <p>
            <code>npx hooklayer webhooks apply</code> would do this for <Plain text={value.callbackUrl} />:
          </p>
          <ul class="plan">
            {value.steps.map(({ action, text }, i) => (
              <li key={i} class={action}>
                <strong>{action}</strong> <Sentence text={text} />
              </li>
            ))}
          </ul>
        </>
      )}
      {value?.notes.map((note) => (
        <p class="notice warning" key={note}>
          <Sentence text={note} />
        </p>
      ))}
    </section>
  )
}
