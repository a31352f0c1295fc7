/** The headers of a delivery as captures have them, but for the length, which is up to whoever writes the body. */
export function deliveryHeaders(topic: string, signature: string): Record<string, string> {
  return {
    'X-CommerceLayer-Signature': signature,
    'X-CommerceLayer-Topic': topic,
    'Content-Type': 'application/json',
    'user-agent': 'CommerceLayer Module',
    accept: 'application/json, text/plain, */*',
    'accept-encoding': 'gzip',
  }
}
