const MAX_LENGTH = 200

/** The code or the outcome in the answer of a receiver of ours, and the beginning of any other answer. */
export function readAnswer(text: string): string {
  return readWord(text) ?? text.slice(0, MAX_LENGTH)
}

/** The code or the outcome in an answer, if it has one. */
export function readWord(text: string): string | undefined {
  try {
    const { code, outcome, error, status } = JSON.parse(text)
    const word = code ?? outcome ?? error?.code ?? status
    return typeof word === 'string' ? word : undefined
  } catch {
    return undefined // It is of another make.
  }
}
