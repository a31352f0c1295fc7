import type { SentCalls } from '../../api.ts'
import { formatNumberOf } from '../format.ts'
import { Plain } from './text.tsx'

const MOST = 10

/** What the receiver answered to deliveries that were sent. */
export function SentResult({ sent: { calls } }: { readonly sent: SentCalls }) {
  if (calls.length === 0) return <p class="notice warning">Nothing was sent: no webhook has this topic.</p>
  const failed = calls.filter(({ status }) => status === undefined || status >= 300)
  return (
    <div class={`notice ${failed.length > 0 ? 'problem' : 'done'}`}>
      <p>
        {formatNumberOf(calls.length, 'call')} sent, {calls.length - failed.length} accepted.{' '}
        <a href="#/deliveries">See the deliveries</a>
      </p>
      <ul class="plain">
        {calls.slice(0, MOST).map(({ topic, status, reason }, i) => (
          <li key={i}>
            <Plain text={topic} />: {status === undefined ? 'no answer' : status} {reason && <Plain text={reason} />}
          </li>
        ))}
        {calls.length > MOST && <li class="quiet">and {calls.length - MOST} more</li>}
      </ul>
    </div>
  )
}
