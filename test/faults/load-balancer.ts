import { openRelay, type Relay } from './relay.ts'

/** One port in front of several: each connection goes to the next of them. */
export type LoadBalancer = Pick<Relay, 'port' | 'close'>

/** @param ports is asked for each connection, for they may not be known when the first one is to be told of. */
export function openLoadBalancer(ports: () => readonly number[]): Promise<LoadBalancer> {
  let next = 0
  const target = () => {
    const behind = ports()
    return { port: behind[next++ % behind.length] ?? 0, host: '127.0.0.1' }
  }
  return openRelay({ target })
}
