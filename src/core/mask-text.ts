const WORD = /[^\s<>"'(),:;=]+/g
const QUERY = /\?[\w.-]{1,50}=[^\s"'<>]*/g
/** Keys, signatures and ids of sessions, if letters and digits are mixed. */
const TOKEN = /\w[\w+/=-]{19,}/g
/** Numbers of telephones, cards and accounts. */
const LONG_NUMBER = /\+?\d(?:[ ()./-]{0,2}\d){6,}/g

/**
 * Masks the text of an error as dead letters keep it: replaces what looks like an email address, a long number, a token
 * or the query of a URL with `…`. Names of people are not recognized. What is masked already stays as it is.
 *
 * @example
 * maskText('No mail for zoe@example.com') // 'No mail for …'
 */
export function maskText(text: string): string {
  const withoutEmails = text.replace(WORD, (word) => {
    if (word.search(/@|%40/) < 1) return word
    return word.endsWith('.') ? '….' : '…'
  })
  return withoutEmails
    .replace(QUERY, '…')
    .replace(TOKEN, (token) => (/\d/.test(token) && /[a-z]/i.test(token) ? '…' : token))
    .replace(LONG_NUMBER, '…')
}
