import { Socket } from 'node:net'

/**
 * Is loaded before a program that calls Commerce Layer. Connections to Commerce Layer's hosts go to `PLATFORM_PORT` on
 * 127.0.0.1, and connections to any other address fail.
 */
const { connect } = Socket.prototype

Socket.prototype.connect = function (...args) {
  // `net.connect` passes its arguments as one array.
  const [{ host, ...options }, ...others] = args.flat()
  if (!/^[\w-]+\.commercelayer\.io$/.test(host) || Number(options.port) !== 443) {
    throw new Error('Only Commerce Layer can be reached from here.')
  }
  return connect.call(this, { ...options, host: '127.0.0.1', port: Number(process.env.PLATFORM_PORT) }, ...others)
}
