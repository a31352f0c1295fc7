/** The wildcards `%` and `_` of a pattern. Any other character matches itself. */
const ANY = Symbol('any text')
const ONE = Symbol('one character')

/**
 * Compiles a pattern of SQL's LIKE: `%` matches any text, `_` one character, and a backslash escapes the next
 * character. It is case-sensitive, as documented. Ransack before version 6 used ILIKE on PostgreSQL, and the version of
 * Commerce Layer is not known.
 */
export function compileLike(pattern: string): (text: string) => boolean {
  const tokens = Array.from(pattern.matchAll(/\\(?<escaped>.)|(?<plain>.)/gsu), ({ groups = {} }) =>
    groups.plain === '%' ? ANY : groups.plain === '_' ? ONE : (groups.plain ?? groups.escaped),
  )
  return (text) => matches(Array.from(text), tokens)
}

/** Backtracks only to the last `%`, so there is at most one comparison for each pair of character and token. */
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
