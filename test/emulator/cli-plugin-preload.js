import { Socket } from 'node:net'

/**
 * Comes before a program that talks to the platform: its hosts are at `PLATFORM_PORT` of the loopback interface, and no other
 * address can be reached.
 */
const { connect } = Socket.prototype

Socket.prototype.connect = function (...args) {
  // `net.connect` hands its arguments over as one list.
  const [{ host, ...options }, ...others] = args.flat()
  if (!/^[\w-]+\.commercelayer\.io$/.test(host) || Number(options.port) !== 443) {
    throw new Error('Only the platform can be reached from here.')
  }
  return connect.call(this, { ...options, host: '127.0.0.1', port: Number(process.env.PLATFORM_PORT) }, ...others)
}
