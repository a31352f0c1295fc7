import { openRelay, type Relay } from './relay.ts'

/** One port in front of several. Each connection goes to the next port. */
export type LoadBalancer = Pick<Relay, 'port' | 'close'>

/** @param ports is called for each connection, because the ports are not known at first. */
export function openLoadBalancer(ports: () => readonly number[]): Promise<LoadBalancer> {
  let next = 0
  const target = () => {
    const behind = ports()
    return { port: behind[next++ % behind.length] ?? 0, host: '127.0.0.1' }
  }
  return openRelay({ target })
}
