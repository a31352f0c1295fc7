interface Difference {
  /** Where the texts begin to differ. */
  readonly start: number
  /** How many characters differ in each. */
  readonly inReceived: number
  readonly inSigned: number
}

/** So many equal characters mean that the texts go on alike. */
const ALIKE = 8

/** Finds the first difference of two texts, and the shortest one with which they go on alike. */
export function findDifference(received: string, signed: string): Difference {
  let start = 0
  while (start < received.length && received[start] === signed[start]) start++
  const [left, right] = [received.slice(start), signed.slice(start)]
  for (let both = 1; both < left.length + right.length; both++) {
    for (let inReceived = 0; inReceived <= both; inReceived++) {
      if (goOnAlike(left.slice(inReceived), right.slice(both - inReceived))) {
        return { start, inReceived, inSigned: both - inReceived }
      }
    }
  }
  return { start, inReceived: left.length, inSigned: right.length }
}

/** The excerpts of a body may end in different places. */
function goOnAlike(one: string, other: string): boolean {
  return one !== '' && (one === other || (one.length >= ALIKE && one.slice(0, ALIKE) === other.slice(0, ALIKE)))
}
