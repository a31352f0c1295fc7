/**
 * The headers of a delivery, as captured deliveries have them. `content-length` is missing: the code that writes the
 * body adds it.
 */
export function createDeliveryHeaders(topic: string, signature: string): Record<string, string> {
  const { 'X-CommerceLayer-Signature': _, ...others } = createRequestHeaders(signature)
  return { 'X-CommerceLayer-Signature': signature, 'X-CommerceLayer-Topic': topic, ...others }
}

/** The headers of a request of an external resource, as far as they are known: those of a delivery without its topic. */
export function createRequestHeaders(signature: string): Record<string, string> {
  return {
    'X-CommerceLayer-Signature': signature,
    'Content-Type': 'application/json',
    'user-agent': 'CommerceLayer Module',
    accept: 'application/json, text/plain, */*',
    'accept-encoding': 'gzip',
  }
}
