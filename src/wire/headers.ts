const COMMON = {
  'Content-Type': 'application/json',
  'user-agent': 'CommerceLayer Module',
  accept: 'application/json, text/plain, */*',
  'accept-encoding': 'gzip',
}

/**
 * The headers of a delivery, as captured deliveries have them. `content-length` is missing: the code that writes the
 * body adds it.
 */
export function createDeliveryHeaders(topic: string, signature: string): Record<string, string> {
  return { 'X-CommerceLayer-Signature': signature, 'X-CommerceLayer-Topic': topic, ...COMMON }
}

/** Those of a request of an external resource, as far as they are known: of a delivery without its topic. */
export function createRequestHeaders(signature: string): Record<string, string> {
  return { 'X-CommerceLayer-Signature': signature, ...COMMON }
}
