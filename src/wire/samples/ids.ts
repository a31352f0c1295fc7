const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** An id as Commerce Layer writes them, ten letters: always the same one for the same name. */
export function stableId(name: string): string {
  let state = 0x811c9dc5
  for (let i = 0; i < name.length; i++) state = Math.imul(state ^ name.charCodeAt(i), 0x01000193)
  let id = ''
  for (let i = 0; i < 10; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x85ebca6b) + i
    id += LETTERS.charAt(((state ^ (state >>> 13)) >>> 0) % LETTERS.length)
  }
  return id
}

/** A random id of ten letters. There are enough of them for no two to be the same. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(10)), (value) =>
    LETTERS.charAt(value % LETTERS.length),
  ).join('')
}
