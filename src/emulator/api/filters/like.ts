/** `%` and `_` of a pattern; all else in it stands for itself. */
const ANY = Symbol('any text')
const ONE = Symbol('one character')

/**
 * SQL's LIKE: `%` is any text, `_` one character, a backslash takes the next character as it is. Case counts, as
 * documented (Ransack before version 6 wrote ILIKE for PostgreSQL; which one the platform runs is not known).
 */
export function like(pattern: string): (text: string) => boolean {
  const tokens = Array.from(pattern.matchAll(/\\(?<escaped>.)|(?<plain>.)/gsu), ({ groups = {} }) =>
    groups.plain === '%' ? ANY : groups.plain === '_' ? ONE : (groups.plain ?? groups.escaped),
  )
  return (text) => matches(Array.from(text), tokens)
}

/** Back to the last `%` only: at most one comparison for each pair of character and token, whatever the pattern. */
function matches(text: readonly string[], tokens: readonly unknown[]): boolean {
  let token = 0
  let last: { token: number; at: number } | undefined
  for (let at = 0; at < text.length; ) {
    if (tokens[token] === ANY) {
      last = { token, at }
      token += 1
    } else if (tokens[token] === ONE || tokens[token] === text[at]) {
      token += 1
      at += 1
    } else if (last) {
      last.at += 1
      at = last.at
      token = last.token + 1
    } else return false
  }
  return tokens.slice(token).every((rest) => rest === ANY)
}
