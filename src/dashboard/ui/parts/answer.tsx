import type { AnswerItem } from '../../api.ts'
import { toHash } from '../route.ts'
import { ANSWER_OUTCOMES } from '../words.ts'
import { Plain, Sentence } from './text.tsx'

/** What Commerce Layer makes of an answer, in a word and a color. */
export function AnswerMark({ outcome }: Pick<AnswerItem, 'outcome'>) {
  return <span class={`mark ${outcome}`}>{ANSWER_OUTCOMES[outcome] ?? outcome}</span>
}

/** What the shop says, what is wrong with it, and what comes in the place of an answer. */
export function AnswerWords({ answer: { data, error, problem, fallback } }: { readonly answer: AnswerItem }) {
  return (
    <>
      {data && <Plain text={data} />}
      {error && <Plain text={`${error.message} ${error.code}`} />} {problem && <Sentence text={problem} />}{' '}
      {fallback && (
        <span class="quiet">
          Without an answer: <Sentence text={fallback} />
        </span>
      )}
    </>
  )
}

/** What came of asking, with a way to the whole of it. */
export function AnswerResult({ answer }: { readonly answer: AnswerItem }) {
  const { id, outcome, status } = answer
  const tone = outcome === 'accepted' ? 'done' : outcome === 'refused' ? 'warning' : 'problem'
  return (
    <p class={`notice ${tone}`}>
      <AnswerMark outcome={outcome} /> {status} <AnswerWords answer={answer} />{' '}
      <a href={toHash({ page: 'answers', id })}>See the answer</a>
    </p>
  )
}
