/**
 * The headers of a delivery, as captured deliveries have them. `content-length` is missing: the code that writes the
 * body adds it.
 */
export function createDeliveryHeaders(topic: string, signature: string): Record<string, string> {
  return {
    'X-CommerceLayer-Signature': signature,
    'X-CommerceLayer-Topic': topic,
    'Content-Type': 'application/json',
    'user-agent': 'CommerceLayer Module',
    accept: 'application/json, text/plain, */*',
    'accept-encoding': 'gzip',
  }
}
