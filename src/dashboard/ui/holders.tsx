import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { AnswerItem, HolderItem, Holders, Setup } from '../api.ts'
import { get } from './api-client.ts'
import { Circuit } from './parts/circuit.tsx'
import { Dialog } from './parts/dialog.tsx'
import { ProblemNotice } from './parts/notice.tsx'
import { ResourceName } from './parts/outcome.tsx'
import { Plain } from './parts/text.tsx'
import { go } from './route.ts'
import { useChange } from './use-change.ts'
import { useLoaded } from './use-loaded.ts'

/** Commerce Layer opens the circuit of an external resource after more than 30 failures in a row. */
const CIRCUIT = 31

/** What Commerce Layer asks the shop, each with its circuit. Nothing is shown where there is none. */
export function HolderList({ setup }: { readonly setup: Setup }) {
  const { value, problem, reload } = useLoaded('holders', (signal) => get<Holders>('api/holders', {}, signal))
  if (problem) return <ProblemNotice text={problem} onRetry={reload} />
  if (!value || value.items.length === 0) return null
  return (
    <section>
      <h2>External resources</h2>
      <ul class="cards">
        {value.items.map((holder) => (
          <HolderCard key={`${holder.id} ${holder.kind}`} holder={holder} setup={setup} onReset={reload} />
        ))}
      </ul>
      {value.hasMore && <p class="quiet">There are more. The first 100 of each type are shown.</p>}
    </section>
  )
}

interface HolderProps {
  readonly holder: HolderItem
  readonly onReset: () => void
}

function HolderCard({ holder, setup, onReset }: HolderProps & { readonly setup: Setup }) {
  const { id, kind, name, url } = holder
  const { isBusy, problem, send } = useChange<AnswerItem>()
  return (
    <li class="card">
      <h3>{kind}</h3>
      <p>
        <Plain text={name} />
      </p>
      <p class="url">
        <Plain text={url} />
      </p>
      <HolderCircuits holder={holder} onReset={onReset}>
        {setup.isDevelopment && (
          <button
            type="button"
            disabled={isBusy}
            onClick={() => {
              void send('api/answers', { kind, holderId: id }, (answer) => go({ page: 'answers', id: answer.id }))
            }}
          >
            Ask
          </button>
        )}
      </HolderCircuits>
      {problem && <ProblemNotice text={problem} />}
    </li>
  )
}

/** What has a circuit of its own, where that is not the holder. */
const ASKED: Readonly<Partial<Record<string, string>>> = { prices: 'line item', 'order-validation': 'order' }

/** The circuits of a holder, and a way to close them. The children are further actions. */
export function HolderCircuits({
  holder: { id, kind, circuits },
  onReset,
  children,
}: HolderProps & { readonly children?: ComponentChildren }) {
  const [asks, setAsks] = useState(false)
  const { problem, send } = useChange<HolderItem>()
  const asked = ASKED[kind]
  const canReset = circuits.some(({ failures }) => failures > 0)
  return (
    <>
      {asked && <p class="quiet">Each {asked} has a circuit of its own.</p>}
      {circuits.map(({ resource, state, failuresLeft }) => (
        <div key={resource?.id}>
          {resource && <ResourceName resource={resource} hasType />}
          <Circuit isOpen={state === 'open'} failuresLeft={failuresLeft} most={CIRCUIT} whenOpen="nothing is asked." />
        </div>
      ))}
      {(children || canReset) && (
        <p class="actions">
          {children}
          {canReset && (
            <button type="button" onClick={() => setAsks(true)}>
              Reset {asked ? 'circuits' : 'circuit'}
            </button>
          )}
        </p>
      )}
      {problem && <ProblemNotice text={problem} />}
      {asks && (
        <Dialog
          title={`Reset the ${asked ? 'circuits' : 'circuit'}?`}
          onClose={() => setAsks(false)}
          confirm={{
            label: 'Reset',
            act: () => void send(`api/holders/${encodeURIComponent(id)}/reset`, undefined, onReset),
          }}
        >
          <p>Commerce Layer asks here again, and counts failures from 0. Mend the cause first.</p>
        </Dialog>
      )}
    </>
  )
}
