import { formatNumberOf } from '../format.ts'

interface CircuitProps {
  readonly isOpen: boolean
  readonly failuresLeft: number
  /** So many failures in a row open it. */
  readonly most: number
  /** What is not done while it is open. */
  readonly whenOpen: string
}

/** How many failures are left until a circuit opens. */
export function Circuit({ isOpen, failuresLeft, most, whenOpen }: CircuitProps) {
  const text = isOpen ? `Circuit open: ${whenOpen}` : `${formatNumberOf(failuresLeft, 'failure')} left of ${most}`
  const left = isOpen ? 0 : Math.min(Math.max(failuresLeft, 0), most)
  const level = left === 0 ? 'open' : left <= 10 ? 'near' : 'fine'
  return (
    <div class={`circuit ${level}`}>
      <div
        class="meter"
        role="meter"
        aria-label="Failures left"
        aria-valuemin={0}
        aria-valuemax={most}
        aria-valuenow={left}
        aria-valuetext={text}
      >
        <span style={{ width: `${(left / most) * 100}%` }} />
      </div>
      {text}
    </div>
  )
}
