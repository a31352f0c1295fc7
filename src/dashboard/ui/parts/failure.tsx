import { Sentence } from './text.tsx'

/** What a code means, and the code. */
export function Failure({ error }: { readonly error: { readonly code: string; readonly message: string } }) {
  return (
    <p>
      <strong>
        <Sentence text={error.message} />
      </strong>{' '}
      <small>{error.code}</small>
    </p>
  )
}
