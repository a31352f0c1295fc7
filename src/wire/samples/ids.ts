const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Makes an id of ten letters, as Commerce Layer's ids are. The same name always gives the same id. */
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

/** Makes a random id of ten letters, as Commerce Layer's ids are. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(10)), (value) =>
    LETTERS.charAt(value % LETTERS.length),
  ).join('')
}
