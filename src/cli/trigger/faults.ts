/** What `trigger --fault` does to deliveries. */
export const FAULTS = {
  duplicate: 'each delivery is sent twice, at once',
  reorder: 'deliveries are sent in the reverse order',
  'wrong-signature': 'the signature is of another secret',
  'other-topic': 'the topic is another one than was signed for',
  slow: 'the body is sent in ten parts, over two seconds',
  cut: 'the connection is cut in the middle of the body',
} as const

export type Fault = keyof typeof FAULTS
