const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Ten letters, as Commerce Layer's ids are; the same ones for the same name, every time. */
export function idOf(name: string): string {
  let state = 0x811c9dc5
  for (let i = 0; i < name.length; i++) state = Math.imul(state ^ name.charCodeAt(i), 0x01000193)
  let id = ''
  for (let i = 0; i < 10; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x85ebca6b) + i
    id += LETTERS.charAt(((state ^ (state >>> 13)) >>> 0) % LETTERS.length)
  }
  return id
}
